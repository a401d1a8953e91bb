/// Why it cannot be told what the inputs and outputs of a model mean, with what would tell.
public enum SignatureError: Error, Hashable, Sendable {
    /// The key of a `model.json` or of the model's metadata cannot be read.
    case invalidDocument(source: Source, reason: String)
    /// A `model.json` or metadata names an input that the model does not have.
    case unknownInput(String, known: [String])
    /// A `model.json` or metadata names an output that the model does not have.
    case unknownOutput(String, known: [String])

    /// No input can be the sequences.
    case noSequenceInput(inputs: [String])
    /// Several inputs could be the sequences.
    case severalSequenceInputs([String])
    /// An input of a rank that no sequence has.
    case unsupportedRank(input: String, axes: [String])
    /// An input whose element type is not taken for its meaning.
    case unsupportedElementType(input: String, meaning: String)
    /// An input that does not declare its axes.
    case undeclaredAxes(input: String)
    /// Features whose channel axis cannot be told.
    case unknownLayout(input: String, axes: [String])
    /// Features whose number of channels cannot be told.
    case unknownChannels(input: String)
    /// An input for batches of one size only.
    case fixedBatch(input: String, size: Int)
    /// An input for sequences of one length only.
    case fixedLength(input: String, length: Int)
    /// Several inputs could be the mask.
    case severalMasks([String])
    /// Several inputs could be the lengths.
    case severalLengths([String])
    /// A mask whose axes are neither `[B, 1, L]` nor `[B, L]`.
    case maskAxes(input: String, axes: [String])
    /// A mask that is named like one in which true stands for padding.
    case paddingMask(input: String)
    /// An input that is neither sequences, mask nor lengths.
    case unassignedInput(String, axes: [String])

    /// An output that does not declare its axes.
    case undeclaredOutput(String)
    /// An output whose batch axis is not the first.
    case outputBatchAxis(String, axes: [String])
    /// An output with an axis that depends on the length but is not as long.
    case outputLength(String, length: String)
    /// An output with several axes that could be time.
    case ambiguousOutput(String, axes: [String])
    /// A model without outputs.
    case noOutputs

    /// An alphabet that is none.
    case invalidAlphabet(AlphabetError)
    /// An alphabet, or a pad id, for a model that takes features.
    case alphabetForFeatures
    /// An id that the model's embedding does not have.
    case idOutOfRange(key: String, id: Int64, vocabularySize: Int)
    /// Labels that no output per sequence has as many numbers for.
    case labelCount(Int)

    /// Where a statement about a model stands.
    public enum Source: Hashable, Sendable {
        /// In `model.json` beside the model.
        case document
        /// In the model's `metadata_props`.
        case metadata(key: String)
    }
}
