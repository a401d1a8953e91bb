public import TensorCore

/// One batch of the data that statistics are estimated over: the inputs of the training graph.
public struct TrainingBatch: Sendable {
    /// A tensor for each input of the training graph.
    public var inputs: [String: Tensor]
    /// The length of each sequence, where it is known; padding is on the right.
    public var lengths: [Int]?
    /// Where the batch comes from, for messages, such as `train.jsonl lines 31-60`.
    public var origin: String

    /// A batch.
    ///
    /// - Parameters:
    ///   - inputs: A tensor for each input of the training graph.
    ///   - lengths: The length of each sequence; nil if unknown.
    ///   - origin: Where the batch comes from, for messages.
    public init(inputs: [String: Tensor], lengths: [Int]? = nil, origin: String) {
        self.inputs = inputs
        self.lengths = lengths
        self.origin = origin
    }
}
