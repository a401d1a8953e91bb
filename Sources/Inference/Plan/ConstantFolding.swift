import ONNXGraph
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
    ///   - limits: What the model may ask for.
    /// - Returns: All outputs, or nil.
    static func evaluate(
        _ computation: any Operator,
        _ constants: [Tensor?],
        outputs: Int,
        _ limits: ModelLimits
    ) -> [Tensor]? {
        let available = constants.reduce(0) { $0 + ($1?.count ?? 0) }
        let largest = max(available, maximumGrownCount)
        var budget = RunBudget(limits)
        budget.limits.tensorBytes = min(limits.tensorBytes, largest * ElementType.largestByteCount)
        let results: [Tensor]? =
            switch try? NodeInputs.evaluate(computation, constants, outputCount: outputs, budget: &budget) {
            case .one(let tensor): [tensor]
            case .many(let tensors): tensors
            case .values, nil: nil
            }
        guard let results, results.count == outputs else { return nil }
        return results.contains { $0.count > largest } ? nil : results
    }
}
