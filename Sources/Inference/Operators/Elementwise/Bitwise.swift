import TensorCore

/// BitwiseAnd, BitwiseOr, BitwiseXor and BitShift of integers, with broadcasting.
struct Bitwise: Operator {
    enum Function: Sendable { case and, or, xor, shiftLeft, shiftRight }

    private let function: Function

    init(_ function: Function, _ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        self.function = function
    }

    init(shift reader: inout AttributeReader) throws(OperatorError) {
        switch try reader.string("direction") {
        case "LEFT": try self.init(.shiftLeft, &reader)
        case "RIGHT": try self.init(.shiftRight, &reader)
        default: throw .attributeValue("direction")
        }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let a = try inputs[0]
        let b = try inputs[1]
        guard a.elementType == b.elementType else { throw .elementTypesDiffer(a.elementType, b.elementType) }
        let work = BitwiseWork(function: function, a: a, b: b, inputs: inputs)
        return .one(try work.run(for: a.elementType, input: 0))
    }
}

private struct BitwiseWork: IntegerWork {
    let function: Bitwise.Function
    let a: Tensor
    let b: Tensor
    let inputs: NodeInputs

    func run<T: TensorElement & FixedWidthInteger>(_ type: T.Type) throws(OperatorError) -> Tensor {
        switch function {
        case .and: try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a & b }
        case .or: try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a | b }
        case .xor: try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a ^ b }
        case .shiftLeft: try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a << b }
        case .shiftRight: try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a >> b }
        }
    }
}

/// BitwiseNot of integers.
struct BitwiseNot: Operator {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(1...1) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        return .one(try Complement(x: x, inputs: inputs).run(for: x.elementType, input: 0))
    }
}

private struct Complement: IntegerWork {
    let x: Tensor
    let inputs: NodeInputs

    func run<T: TensorElement & FixedWidthInteger>(_ type: T.Type) throws(OperatorError) -> Tensor {
        try TypedMap.unary(x, inputs) { (x: T) in ~x }
    }
}
