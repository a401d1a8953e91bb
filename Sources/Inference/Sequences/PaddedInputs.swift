public import TensorCore

/// Lays sequences out as the padded inputs of a model, a training graph included.
///
/// ```swift
/// let inputs = try PaddedInputs(signature: signature, inputNames: plan.inputNames).inputs(batch)
/// ```
public struct PaddedInputs: Sendable {
    private let layout: InputLayout

    /// A layout for the inputs of a model.
    ///
    /// - Parameters:
    ///   - signature: What the inputs mean.
    ///   - inputNames: The inputs that are wanted; others are not made.
    public init(signature: Signature, inputNames: [String]) {
        layout = InputLayout(signature, inputNames: inputNames)
    }

    /// The inputs for a batch, padded on the right to its longest sequence.
    ///
    /// - Parameter batch: At least one sequence, none of them empty.
    /// - Returns: A tensor for each input.
    /// - Throws: ``ExecutionError/emptyBatch``, ``ExecutionError/emptySequence(index:)``, or
    ///   ``ExecutionError/batch(_:)`` if the rows are not what the signature says.
    public func inputs(_ batch: SequenceBatch) throws(ExecutionError) -> [String: Tensor] {
        try layout.inputs(batch)
    }
}
