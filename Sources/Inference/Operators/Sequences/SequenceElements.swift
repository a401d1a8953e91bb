import TensorCore

/// SequenceAt: the tensor at a position; a negative one counts from the end.
struct SequenceAt: Operator, TakingAllTypes {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(2...2) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let tensors = try inputs.sequence(0)
        guard let position = try inputs.position(1, in: tensors.count) else { throw .missingInput(1) }
        return .one(tensors[position])
    }
}

/// SequenceInsert: the sequence with a tensor more, before the one at a position, or at the end.
struct SequenceInsert: Operator, TakingAllTypes {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(2...3) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var tensors = try inputs.sequence(0)
        guard tensors.count < NodeInputs.maximumSequenceCount else {
            throw .sequenceTooLong(limit: NodeInputs.maximumSequenceCount)
        }
        // One behind the end is a position as well.
        let position = try inputs.position(2, in: tensors.count, allowingEnd: true)
        tensors.insert(try inputs[1], at: position ?? tensors.count)
        return .values([.sequence(tensors)])
    }
}

/// SequenceErase: the sequence without the tensor at a position, or without the last.
struct SequenceErase: Operator, TakingAllTypes {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(1...2) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var tensors = try inputs.sequence(0)
        let position = try inputs.position(1, in: tensors.count) ?? tensors.count - 1
        guard position >= 0 else { throw .indexOutOfRange(index: -1, length: 0) }
        tensors.remove(at: position)
        return .values([.sequence(tensors)])
    }
}

/// SequenceLength: the number of tensors, as an int64 scalar.
struct SequenceLength: Operator, TakingAllTypes {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(1...1) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        .one(Tensor(scalar: Int64(try inputs.sequence(0).count)))
    }
}

extension NodeInputs {
    /// The position in a sequence that an input names, counted from the front; nil if the input is absent.
    func position(
        _ index: Int,
        in count: Int,
        allowingEnd: Bool = false
    ) throws(OperatorError) -> Int? {
        guard let position = try integerScalar(index) else { return nil }
        guard position >= -count, position < (allowingEnd ? count + 1 : count) else {
            throw .indexOutOfRange(index: position, length: count)
        }
        return position < 0 ? position + count : position
    }
}
