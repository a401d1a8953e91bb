import TensorCore

/// Optional: its input, or an optional that holds nothing.
struct OptionalOperator: Operator, TakingAllTypes {
    private let isEmpty: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(0...1)
        isEmpty = reader.inputCount == 0
        // Of which type the optional is; nothing here depends on it.
        reader.ignore("type")
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        .values([isEmpty ? .none : try inputs.takeValue(0)])
    }
}

/// OptionalHasElement: whether its input is there and holds something.
struct OptionalHasElement: Operator, TakingAllTypes {
    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs((reader.opset < 18 ? 1 : 0)...1)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        .one(Tensor(scalar: inputs.value(0).map { $0 != .none } ?? false))
    }
}

/// OptionalGetElement: what an optional holds; an error if that is nothing.
struct OptionalGetElement: Operator, TakingAllTypes {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(1...1) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        switch try inputs.takeValue(0) {
        case .tensor(let tensor): return .one(tensor)
        case .none: throw .inputValue(input: 0)
        case let value: return .values([value])
        }
    }
}
