public import TensorCore

/// What a body of the open inference protocol (V2) asks for.
public struct TensorsRequest: Sendable, Equatable {
    /// `id`, to be echoed.
    public var id: String?
    /// The sequences, each at least one position long; padding is left out.
    public var batch: SequenceBatch
    /// The length of the time axis as sent, to which answers are padded again.
    public var paddedLength: Int
    /// The names of `outputs`, in order; nil for the model's own choice.
    public var outputs: [String]?
    /// `priority` and `timeout_ms` of `parameters`.
    public var parameters: RequestParameters

    /// A request.
    ///
    /// - Parameters:
    ///   - id: To be echoed, or nil.
    ///   - batch: The sequences.
    ///   - paddedLength: At least the longest length.
    ///   - outputs: Names of outputs, or nil.
    ///   - parameters: How urgent it is, and until when it is of use.
    public init(
        id: String? = nil,
        batch: SequenceBatch,
        paddedLength: Int,
        outputs: [String]? = nil,
        parameters: RequestParameters = RequestParameters()
    ) {
        self.id = id
        self.batch = batch
        self.paddedLength = paddedLength
        self.outputs = outputs
        self.parameters = parameters
    }
}
