import TensorCore

/// Equal, Less, LessOrEqual, Greater and GreaterOrEqual; the result is bool.
struct Comparison: Operator {
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
        case .float32: return .one(try compare(of: Float.self, a, b, inputs))
        case .float64: return .one(try compare(of: Double.self, a, b, inputs))
        case .int64: return .one(try compare(of: Int64.self, a, b, inputs))
        case .int32: return .one(try compare(of: Int32.self, a, b, inputs))
        case .bool where relation == .equal:
            return .one(try TypedMap.binary(a, b, inputs) { (a: Bool, b: Bool) in a == b })
        default: throw .unsupportedElementType(a.elementType, input: 0)
        }
    }

    private func compare<T: TensorElement & Comparable>(
        of type: T.Type,
        _ a: Tensor,
        _ b: Tensor,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        switch relation {
        case .equal: try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a == b }
        case .less: try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a < b }
        case .lessOrEqual: try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a <= b }
        case .greater: try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a > b }
        case .greaterOrEqual: try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a >= b }
        }
    }
}
