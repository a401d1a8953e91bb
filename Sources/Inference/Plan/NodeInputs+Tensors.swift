import TensorCore

extension NodeInputs {
    /// Evaluates an operator on tensors that stand in no frame.
    ///
    /// None of them is a last use, so none is written.
    static func evaluate(
        _ computation: any Operator,
        _ tensors: [Tensor?],
        outputCount: Int,
        budget: UnsafeMutablePointer<RunBudget>
    ) throws(OperatorError) -> NodeOutputs {
        var present: [Tensor] = []
        var operands: [Operand] = []
        for tensor in tensors {
            operands.append(tensor == nil ? .absent : .constant(present.count))
            if let tensor { present.append(tensor) }
        }
        // A spare element keeps the base addresses valid for empty lists.
        present.append(Tensor(scalar: Float(0)))
        operands.append(.absent)
        var slot: Tensor?
        return try withUnsafeMutablePointer(to: &slot) { (slots) throws(OperatorError) in
            try present.withUnsafeBufferPointer { (constants) throws(OperatorError) in
                try operands.withUnsafeBufferPointer { (operands) throws(OperatorError) in
                    guard let constants = constants.baseAddress, let first = operands.baseAddress else {
                        throw .missingInput(0)
                    }
                    return try computation.evaluate(
                        NodeInputs(
                            slots: slots,
                            others: nil,
                            constants: constants,
                            operands: first,
                            count: tensors.count,
                            lastUses: 0,
                            outputCount: outputCount,
                            budget: budget
                        )
                    )
                }
            }
        }
    }
}
