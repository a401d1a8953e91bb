import TensorCore

/// SequenceConstruct: its inputs as a sequence, in their order.
struct SequenceConstruct: Operator, TakingAllTypes {
    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...NodeInputs.maximumSequenceCount)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var tensors: [Tensor] = []
        tensors.reserveCapacity(inputs.count)
        for index in 0..<inputs.count { tensors.append(try inputs[index]) }
        return .values([.sequence(tensors)])
    }
}

/// SequenceEmpty: a sequence of no tensors; of which type they would be has no meaning here.
struct SequenceEmpty: Operator, TakingAllTypes {
    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(0...0)
        _ = try reader.int("dtype")
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs { .values([.sequence([])]) }
}
