import TensorCore

/// Runs all sequences of a batch at once over packed rows, and one after the other where that cannot be.
struct PackedExecutor: SequenceExecutor {
    let plan: PackedPlan
    /// Gives the same bits, and the error of whatever fails.
    let single: RaggedExecutor

    func run(_ batch: SequenceBatch) throws(ExecutionError) -> [SequenceOutput] {
        if let outputs = plan.run(batch) { return outputs }
        return try single.run(batch)
    }
}
