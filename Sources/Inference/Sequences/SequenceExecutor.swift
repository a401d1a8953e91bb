public import TensorCore

/// Runs batches of sequences of different lengths; any number of threads may use one at once.
///
/// ```swift
/// let executor = try model.executor(for: .outputs(["predictions"]), batching: .ragged)
/// let logits = try executor.run(batch)[0].rows  // [B, classes]
/// ```
public protocol SequenceExecutor: Sendable {
    /// Computes the outputs of every sequence; each depends on its own sequence alone.
    ///
    /// - Parameter batch: At least one sequence, each at least 1 long, of the type the signature says.
    /// - Returns: The outputs in the order of the request.
    /// - Throws: ``ExecutionError/emptyBatch``, ``ExecutionError/emptySequence(index:)``,
    ///   ``ExecutionError/batch(_:)`` for rows of another type than the model's,
    ///   ``ExecutionError/outputShape(name:actual:)``, or what a node throws.
    func run(_ batch: SequenceBatch) throws(ExecutionError) -> [SequenceOutput]
}
