import TensorCore

/// And, Or and Xor of bools.
struct Logical: BroadcastingOperator {
    enum Connective: Sendable { case and, or, xor }

    let connective: Connective

    init(_ connective: Connective, _ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        self.connective = connective
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let a = try inputs[0]
        let b = try inputs[1]
        guard a.elementType == .bool else { throw .unsupportedElementType(a.elementType, input: 0) }
        guard b.elementType == .bool else { throw .unsupportedElementType(b.elementType, input: 1) }
        switch connective {
        case .and: return .one(try TypedMap.binary(a, b, inputs) { (a: Bool, b: Bool) in a && b })
        case .or: return .one(try TypedMap.binary(a, b, inputs) { (a: Bool, b: Bool) in a || b })
        case .xor: return .one(try TypedMap.binary(a, b, inputs) { (a: Bool, b: Bool) in a != b })
        }
    }
}

/// Not of bools.
struct Not: Operator {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(1...1) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.elementType == .bool else { throw .unsupportedElementType(x.elementType, input: 0) }
        return .one(try TypedMap.unary(x, inputs) { (x: Bool) in !x })
    }
}

extension Logical: PointwiseOperator {}
extension Not: PointwiseOperator {}
