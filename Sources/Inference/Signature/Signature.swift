/// What the inputs and outputs of a model mean.
///
/// As JSON, keys are in snake case:
/// ```json
/// {"sequence": {"name": "x", "kind": "features", "layout": "channels_first", "channels": 12},
///  "mask": {"name": "mask", "element_type": "float32", "rank": 3},
///  "outputs": [{"name": "predictions", "kind": "per_sequence", "features": [9]}]}
/// ```
public struct Signature: Sendable, Equatable {
    /// The input that takes the sequences.
    public var sequence: SequenceInput
    /// The input that takes the mask; nil if the model has none.
    public var mask: MaskInput?
    /// The input that takes the lengths; nil if the model has none.
    public var lengths: LengthsInput?
    /// The outputs in the model's order; at least one.
    public var outputs: [OutputSignature]
    /// Which letter is which token; nil if the model takes no letters.
    public var alphabet: Alphabet?
    /// The token at padding; nil if none is named.
    public var padID: Int64?
    /// Names of the classes that an output per sequence has one number for each.
    public var labels: [String]?
    /// How many different tokens the model knows; nil for features or if the model does not tell.
    public var vocabularySize: Int?

    /// A signature from its parts.
    ///
    /// - Parameters:
    ///   - sequence: The input that takes the sequences.
    ///   - mask: The input that takes the mask.
    ///   - lengths: The input that takes the lengths.
    ///   - outputs: The outputs.
    ///   - alphabet: Which letter is which token.
    ///   - padID: The token at padding.
    ///   - labels: Names of the classes.
    ///   - vocabularySize: How many different tokens the model knows.
    public init(
        sequence: SequenceInput,
        mask: MaskInput? = nil,
        lengths: LengthsInput? = nil,
        outputs: [OutputSignature] = [],
        alphabet: Alphabet? = nil,
        padID: Int64? = nil,
        labels: [String]? = nil,
        vocabularySize: Int? = nil
    ) {
        self.sequence = sequence
        self.mask = mask
        self.lengths = lengths
        self.outputs = outputs
        self.alphabet = alphabet
        self.padID = padID
        self.labels = labels
        self.vocabularySize = vocabularySize
    }

    /// Tokens must be in `0 ..< tokenLimit`: the vocabulary, else the alphabet's ids; nil if neither is known.
    public var tokenLimit: Int? { vocabularySize ?? alphabet?.count }

    /// The output per sequence that the labels are for; nil if there are no labels.
    public var labelledOutput: OutputSignature? {
        guard let labels else { return nil }
        return outputs.first { $0.kind == .perSequence && $0.features == [labels.count] }
    }
}

extension Signature: Codable {
    private enum CodingKeys: String, CodingKey {
        case sequence, mask, lengths, outputs, alphabet
        case padID = "pad_id"
        case labels
        case vocabularySize = "vocabulary_size"
    }
}
