import TensorCore

/// Equal, Less, LessOrEqual, Greater and GreaterOrEqual; the result is bool.
struct Comparison: BroadcastingOperator {
    enum Relation: Sendable { case equal, less, lessOrEqual, greater, greaterOrEqual }

    let relation: Relation

    init(_ relation: Relation, _ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        self.relation = relation
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let a = try inputs[0]
        let b = try inputs[1]
        guard a.elementType == b.elementType else { throw .elementTypesDiffer(a.elementType, b.elementType) }
        switch a.elementType {
        case .bool where relation == .equal:
            return .one(try TypedMap.binary(a, b, inputs) { (a: Bool, b: Bool) in a == b })
        default:
            let work = ComparisonWork(relation: relation, a: a, b: b, inputs: inputs)
            return try work.run(for: a.elementType, input: 0)
        }
    }
}

private struct ComparisonWork: NumericWork {
    let relation: Comparison.Relation
    let a: Tensor
    let b: Tensor
    let inputs: NodeInputs

    func run<T: TensorNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        .one(try result(of: type))
    }

    private func result<T: TensorNumber>(of type: T.Type) throws(OperatorError) -> Tensor {
        switch relation {
        case .equal: try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a == b }
        case .less: try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a < b }
        case .lessOrEqual: try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a <= b }
        case .greater: try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a > b }
        case .greaterOrEqual: try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a >= b }
        }
    }
}

extension Comparison: PointwiseOperator {
    func resultType(_ types: [ElementType]) -> ElementType { .bool }
}
