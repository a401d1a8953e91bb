/// A rule of the model or of the server that a well-formed body breaks.
public enum InputRule: Error, Hashable, Sendable {
    // Sequences.
    /// A body without any sequence.
    case noSequences
    /// More sequences than the limit.
    case tooManySequences(limit: Int)
    /// A sequence without any position.
    case emptySequence
    /// A sequence with more positions than the limit.
    case sequenceTooLong(limit: Int)
    /// More numbers than a tensor can hold.
    case tooLarge
    /// A position with another number of features than the model takes.
    case featureCount(expected: Int, found: Int)
    /// A number that is not a finite float32.
    case outOfFloatRange
    /// A number with a fraction where an integer is needed.
    case notAnInteger
    /// An integer outside a range; for tokens, the ids of the alphabet.
    case integerOutOfRange(lower: Int64, upper: Int64)
    /// A letter the model's alphabet does not hold.
    case letterOutsideAlphabet
    /// Text for a model that has no alphabet.
    case noAlphabet
    /// FASTA for a model that takes numbers.
    case textForFeatures

    // Members.
    /// A member that must be given is missing.
    case missingKey(String)
    /// A member that has no meaning here.
    case unknownKey(known: [String])
    /// A member given twice.
    case duplicateKey
    /// The mask or the lengths, which follow from the sequences themselves.
    case maskNotTaken
    /// `inputs`, TensorFlow Serving's column format, which cannot hold sequences of different lengths.
    case columnFormat
    /// A signature name other than `serving_default`.
    case unknownSignature
    /// `outputs` and `layer` exclude each other.
    case outputsAndLayer
    /// An empty list of outputs, or a name in it twice.
    case outputNames
    /// `top_k` for a model whose answer is not a list of named classes.
    case noClasses
    /// `top_k` outside `1 ... classes`.
    case topK(classes: Int)
    /// A word other than those known.
    case notOneOf([String])

    // Tensors.
    /// An input the model does not have.
    case unknownInput(known: [String])
    /// A datatype the protocol does not have, or JSON tensors cannot carry.
    case unknownDatatype
    /// A datatype that an input does not take.
    case datatype(expected: [String])
    /// A shape that is not the input's; -1 stands for any length.
    case shape(expected: [Int], found: [Int])
    /// Another number of elements than the shape has.
    case elementCount(expected: Int, found: Int)
    /// A nested array with another length than the shape says.
    case nestedCount(expected: Int, found: Int)
    /// A mask value other than 0 and 1, or a 1 after a 0.
    case maskNotRightPadded
    /// Lengths other than the mask's.
    case lengthsAgainstMask
    /// Binary tensor data, an extension this server does not have.
    case binaryData
}

extension InputRule: CustomStringConvertible {
    /// The rule with its limit, in a sentence without values of the body.
    public var description: String {
        switch self {
        case .noSequences: "at least one sequence is needed"
        case .tooManySequences(let limit): "at most \(limit) sequences are taken in one request"
        case .emptySequence: "the sequence is empty; at least one position is needed"
        case .sequenceTooLong(let limit): "the sequence has more than \(limit) positions"
        case .tooLarge: "more numbers than a tensor can hold"
        case .featureCount(let expected, let found):
            "the row has \(found) features, the model takes \(expected)"
        case .outOfFloatRange: "the number is out of the range of float32"
        case .notAnInteger: "an integer is needed"
        case .integerOutOfRange(let lower, let upper): "the integer is outside \(lower) to \(upper)"
        case .letterOutsideAlphabet: "the letter is not in the model's alphabet"
        case .noAlphabet: "the model has no alphabet; give token ids"
        case .textForFeatures: "the model takes rows of numbers, not text"
        case .missingKey(let key): "'\(key)' is missing"
        case .unknownKey(let known): "unknown key; known are \(known.joined(separator: ", "))"
        case .duplicateKey: "the key is given twice"
        case .maskNotTaken: "not taken here: every sequence has its own length, without padding"
        case .columnFormat: "the column format is not taken; give 'instances'"
        case .unknownSignature: "the only signature is 'serving_default'"
        case .outputsAndLayer: "'outputs' and 'layer' exclude each other"
        case .outputNames: "needs one or more names, each once"
        case .noClasses: "no answer of the model is a list of named classes"
        case .notOneOf(let words): "must be \(words.joined(separator: " or "))"
        case .topK(let classes): "must be from 1 to \(classes), the number of classes"
        case .unknownInput(let known): "unknown input; the model has \(known.joined(separator: ", "))"
        case .unknownDatatype:
            "the datatype must be BOOL, INT8 to INT64, UINT8 to UINT64, FP32 or FP64"
        case .datatype(let expected): "the input takes \(expected.joined(separator: " or "))"
        case .shape(let expected, let found): "the shape is \(found), the input's is \(expected)"
        case .elementCount(let expected, let found): "the shape has \(expected) elements, \(found) are given"
        case .nestedCount(let expected, let found):
            "the shape says \(expected) elements here, \(found) are given"
        case .maskNotRightPadded: "must be ones, then zeros: padding stands only at the right"
        case .lengthsAgainstMask: "is not the number of ones in the mask"
        case .binaryData: "binary tensor data is not taken; give JSON 'data'"
        }
    }
}
