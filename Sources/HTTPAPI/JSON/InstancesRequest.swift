public import TensorCore

/// What a body in TensorFlow Serving's row format asks for.
public struct InstancesRequest: Sendable, Equatable {
    /// The sequences, each at least one position long.
    public var batch: SequenceBatch
    /// `outputs`: the outputs to answer, in order; nil for the model's own choice.
    public var outputs: [String]?
    /// `layer`: the normalization site to answer; nil for the model's own choice.
    public var layer: String?
    /// `parameters.top_k`: answer the k likeliest classes; from 1 to the number of classes.
    public var topK: Int?

    /// A request.
    ///
    /// - Parameters:
    ///   - batch: The sequences.
    ///   - outputs: Names of outputs, or nil.
    ///   - layer: A normalization site's name, or nil.
    ///   - topK: How many classes, or nil.
    public init(batch: SequenceBatch, outputs: [String]? = nil, layer: String? = nil, topK: Int? = nil) {
        self.batch = batch
        self.outputs = outputs
        self.layer = layer
        self.topK = topK
    }
}
