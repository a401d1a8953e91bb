/// Why bytes are not the JSON, or the FASTA, that is needed.
public enum SyntaxFault: Error, Hashable, Sendable {
    /// A JSON type, as the standard names it.
    public enum JSONType: String, Sendable {
        case object, array, string, number, boolean, null
    }

    /// Nothing, or only white space.
    case empty
    /// The text ends inside a value.
    case unexpectedEnd(offset: Int)
    /// A byte that cannot stand where it stands.
    case unexpectedByte(offset: Int)
    /// `NaN`, `Infinity` or `-Infinity`, for which JSON has no numbers.
    case nonFiniteNumber(offset: Int)
    /// Digits that are not a JSON number, such as `01`, `+1` or `1.`.
    case invalidNumber(offset: Int)
    /// A control character in a string, or an escape that is none (a lone surrogate is none).
    case invalidString(offset: Int)
    /// Bytes that are not UTF-8.
    case invalidUTF8(offset: Int)
    /// Arrays and objects nested deeper than the limit.
    case tooDeep(limit: Int)
    /// More after the end of the JSON text.
    case trailingBytes(offset: Int)
    /// More bytes than a parser takes.
    case tooLarge
    /// A value of another JSON type than is needed.
    case wrongType(expected: [JSONType], found: JSONType)
    /// A line longer than the limit.
    case lineTooLong(maxBytes: Int)
    /// Sequence data before the first header of a FASTA body.
    case textBeforeHeader
}

extension SyntaxFault: CustomStringConvertible {
    /// The rule, in a sentence without the offending bytes.
    public var description: String {
        switch self {
        case .empty: "the body is empty"
        case .unexpectedEnd(let offset): "the JSON text ends too early, at byte \(offset)"
        case .unexpectedByte(let offset): "not JSON: unexpected character at byte \(offset)"
        case .nonFiniteNumber(let offset): "NaN and Infinity are not JSON numbers (byte \(offset))"
        case .invalidNumber(let offset): "not a JSON number, at byte \(offset)"
        case .invalidString(let offset): "not a JSON string: bad character or escape at byte \(offset)"
        case .invalidUTF8(let offset): "not UTF-8, at byte \(offset)"
        case .tooDeep(let limit): "nested deeper than \(limit) levels"
        case .trailingBytes(let offset): "more text after the end of the JSON value, at byte \(offset)"
        case .tooLarge: "the JSON text is too large to parse"
        case .wrongType(let expected, let found):
            "needs \(expected.map(\.withArticle).joined(separator: " or ")), not \(found.withArticle)"
        case .lineTooLong(let maxBytes): "the line is longer than \(maxBytes) bytes"
        case .textBeforeHeader: "FASTA begins with a header line, '>id description'"
        }
    }
}

extension SyntaxFault.JSONType {
    var withArticle: String {
        switch self {
        case .null: "null"
        case .object, .array: "an \(rawValue)"
        case .string, .number, .boolean: "a \(rawValue)"
        }
    }
}
