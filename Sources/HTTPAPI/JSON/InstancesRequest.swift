public import TensorCore

/// What a body in TensorFlow Serving's row format asks for.
public struct InstancesRequest: Sendable, Equatable {
    /// The sequences, each at least one position long.
    public var batch: SequenceBatch
    /// `outputs`: the outputs to answer, in order; nil for the model's own choice.
    public var outputs: [String]?
    /// `layer`: the normalization site to answer; nil for the model's own choice.
    public var layer: String?
    /// `parameters`.
    public var parameters: RequestParameters
    /// The sequences that cannot be read, which ``batch`` leaves out, in order.
    ///
    /// None unless the parameters want faults isolated.
    public var faults: [InstanceFault]
    /// `parameters.top_k`: answer the k likeliest classes; from 1 to the number of classes.
    public var topK: Int? { parameters.topK }

    /// A request.
    ///
    /// - Parameters:
    ///   - batch: The sequences.
    ///   - outputs: Names of outputs, or nil.
    ///   - layer: A normalization site's name, or nil.
    ///   - parameters: The parameters.
    ///   - faults: What is wrong with the sequences that the batch leaves out.
    public init(
        batch: SequenceBatch,
        outputs: [String]? = nil,
        layer: String? = nil,
        parameters: RequestParameters = RequestParameters(),
        faults: [InstanceFault] = []
    ) {
        self.batch = batch
        self.outputs = outputs
        self.layer = layer
        self.parameters = parameters
        self.faults = faults
    }
}
