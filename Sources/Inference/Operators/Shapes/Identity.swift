import TensorCore

/// Identity: its input.
struct Identity: Operator, TakingAllTypes {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(1...1) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        switch try inputs.takeValue(0) {
        case .tensor(let tensor): .one(tensor)
        case let value: .values([value])
        }
    }
}

/// Dropout as inference has it: its input, and a mask of ones.
///
/// Training mode, an attribute or input that asks for random zeros, is refused.
struct Dropout: Operator {
    /// Whether the mask output is asked for.
    let givesMask: Bool
    private let maskIsBool: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(reader.opset < 12 ? 1...1 : 1...3)
        try reader.expectOutputs(1...2)
        if reader.opset < 7, try !reader.flag("is_test", default: false) { throw .attributeValue("is_test") }
        if reader.opset < 12 { _ = try reader.float("ratio") } else { _ = try reader.int("seed") }
        givesMask = reader.outputCount == 2
        maskIsBool = reader.opset >= 10
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        if inputs.optional(2) != nil, try inputs.boolScalar(2), try inputs.floatScalar(1) != 0 {
            throw .inputValue(input: 2)
        }
        let x = try inputs.take(0)
        guard givesMask else { return .one(x) }
        if maskIsBool { return .many([x, Tensor(repeating: true, shape: x.shape)]) }
        guard x.elementType == .float32 else { throw .unsupportedElementType(x.elementType, input: 0) }
        return .many([x, Tensor(repeating: Float(1), shape: x.shape)])
    }
}

extension Identity: PointwiseOperator {
    func equalInput(_ inputs: NodeFacts) -> Int? { 0 }
}
