import TensorCore

extension NodeInputs {
    /// The most tensors a sequence may have.
    static let maximumSequenceCount = 1 << 20

    /// The value of an input of any kind, or nil if it is absent.
    func value(_ index: Int) -> Value? {
        if let tensor = optional(index) { return .tensor(tensor) }
        guard let others, index < count, operands[index].isSlot else { return nil }
        return others[operands[index].slot]
    }

    /// The value of an input of any kind, moved out if this is its last use.
    func takeValue(_ index: Int) throws(OperatorError) -> Value {
        guard index < count else { throw .missingInput(index) }
        guard let others, operands[index].isSlot, slots[operands[index].slot] == nil else {
            return .tensor(try take(index))
        }
        let slot = operands[index].slot
        guard let value = isLastUse(index) ? others[slot].take() : others[slot] else {
            throw .missingInput(index)
        }
        return value
    }

    /// An input that must be a sequence, moved out if this is its last use.
    func sequence(_ index: Int) throws(OperatorError) -> [Tensor] {
        let value = try takeValue(index)
        guard case .sequence(let tensors) = value else {
            throw .inputKind(input: index, expected: "a sequence", actual: value.kind)
        }
        return tensors
    }

    /// An input that must be a tensor of strings.
    func strings(_ index: Int) throws(OperatorError) -> StringTensor {
        guard let value = value(index) else { throw .missingInput(index) }
        guard case .strings(let strings) = value else {
            throw .inputKind(input: index, expected: "a tensor of strings", actual: value.kind)
        }
        return strings
    }

    /// The one integer of an input, nil if it is absent.
    func integerScalar(_ index: Int) throws(OperatorError) -> Int? {
        guard let values = try integers(index) else { return nil }
        guard values.count == 1 else { throw .inputValue(input: index) }
        return values[0]
    }
}
