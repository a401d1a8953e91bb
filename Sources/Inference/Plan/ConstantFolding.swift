import TensorCore

/// Computes a node whose inputs are all constants when the plan is made.
enum ConstantFolding {
    /// The most elements an output may have that is larger than all inputs together.
    static let maximumGrownCount = 1 << 16

    /// The outputs of a node, or nil if it must be left to the run: it fails, or its outputs are far larger than
    /// what the file holds.
    ///
    /// - Parameters:
    ///   - computation: The node's operator.
    ///   - constants: The inputs; nil for absent ones.
    ///   - outputs: The number of outputs of the node.
    /// - Returns: All outputs, or nil.
    static func evaluate(
        _ computation: any Operator,
        _ constants: [Tensor?],
        outputs: Int
    ) -> [Tensor]? {
        var present: [Tensor] = []
        var operands: [Operand] = []
        for constant in constants {
            operands.append(constant == nil ? .absent : .constant(present.count))
            if let constant { present.append(constant) }
        }
        let results = evaluate(computation, operands, present, outputs: outputs)
        guard let results, results.count == outputs else { return nil }
        let available = present.reduce(0) { $0 + $1.count }
        return results.contains { $0.count > max(available, maximumGrownCount) } ? nil : results
    }

    private static func evaluate(
        _ computation: any Operator,
        _ operands: [Operand],
        _ constants: [Tensor],
        outputs: Int
    ) -> [Tensor]? {
        // A spare element keeps the base addresses valid for empty lists.
        var slot: Tensor?
        return withUnsafeMutablePointer(to: &slot) { slots in
            (constants + [Tensor(scalar: Float(0))]).withUnsafeBufferPointer { constants in
                (operands + [.absent]).withUnsafeBufferPointer { all in
                    guard let constants = constants.baseAddress, let first = all.baseAddress else {
                        return nil
                    }
                    let inputs = NodeInputs(
                        slots: slots,
                        constants: constants,
                        operands: first,
                        count: operands.count,
                        lastUses: 0,
                        outputCount: outputs
                    )
                    switch try? computation.evaluate(inputs) {
                    case .one(let tensor): return [tensor]
                    case .many(let tensors): return tensors
                    case nil: return nil
                    }
                }
            }
        }
    }
}
