/// Which letter is which token.
///
/// It is strict: a letter that is not in it, a lower-case one for an upper-case one included, has no id.
///
/// ```swift
/// let alphabet = try Alphabet(letters: "ACGT")
/// try alphabet.tokens(of: "GAT")  // [2, 0, 3]
/// ```
public struct Alphabet: Sendable, Equatable {
    /// The id of each letter, at least 0; a letter is one character.
    public let ids: [String: Int64]
    /// The highest id and one: ids are in `0 ..< count`.
    public let count: Int
    /// The id of each byte that is a letter of its own; -1 for the others.
    private let idsOfBytes: [Int64]

    /// An alphabet from a map.
    ///
    /// - Parameter ids: The id of each letter.
    /// - Throws: ``AlphabetError/empty``, ``AlphabetError/notALetter(_:)`` for a key that is not one character,
    ///   or ``AlphabetError/idOutOfRange(letter:id:)``.
    public init(ids: [String: Int64]) throws(AlphabetError) {
        guard !ids.isEmpty else { throw .empty }
        for (letter, id) in ids.sorted(by: { $0.key < $1.key }) {
            guard letter.count == 1 else { throw .notALetter(letter) }
            guard id >= 0 && id < Int64(Int32.max) else { throw .idOutOfRange(letter: letter, id: id) }
        }
        self.ids = ids
        count = Int((ids.values.max() ?? -1) + 1)
        idsOfBytes = (UInt8.min...UInt8.max).map { byte in
            byte < 0x80 ? ids[String(Unicode.Scalar(byte))] ?? -1 : -1
        }
    }

    /// An alphabet whose letters have their positions as ids.
    ///
    /// - Parameter letters: All letters, each once.
    /// - Throws: ``AlphabetError/empty`` or ``AlphabetError/repeatedLetter(_:)``.
    public init(letters: String) throws(AlphabetError) {
        var ids: [String: Int64] = [:]
        for (position, letter) in letters.enumerated() {
            guard ids.updateValue(Int64(position), forKey: String(letter)) == nil else {
                throw .repeatedLetter(String(letter))
            }
        }
        try self.init(ids: ids)
    }

    /// The id of a letter; nil if the alphabet does not have it.
    ///
    /// - Parameter letter: A letter.
    /// - Returns: The id.
    public func id(of letter: Character) -> Int64? { ids[String(letter)] }

    /// The ids of the letters of a text.
    ///
    /// - Parameter text: Letters.
    /// - Returns: An id for each.
    /// - Throws: ``AlphabetError/unknownLetter(position:)`` with the position of the first letter that the
    ///   alphabet does not have, or ``AlphabetError/empty`` for an empty text.
    public func tokens(of text: some StringProtocol) throws(AlphabetError) -> [Int64] {
        var tokens: [Int64] = []
        for (position, letter) in text.enumerated() {
            guard let id = id(of: letter) else { throw .unknownLetter(position: position) }
            tokens.append(id)
        }
        guard !tokens.isEmpty else { throw .empty }
        return tokens
    }

    /// Appends the ids of the letters of a text.
    ///
    /// - Parameters:
    ///   - text: UTF-8; may be empty.
    ///   - tokens: Gets an id for each letter.
    /// - Returns: The position of the first letter that the alphabet does not have; nil if it has all.
    /// - Complexity: O(bytes); one table look-up a byte as long as the text is ASCII.
    public func append(_ text: UnsafeBufferPointer<UInt8>, to tokens: inout [Int64]) -> Int? {
        let start = tokens.count
        for byte in text {
            let id = idsOfBytes[Int(byte)]
            if id < 0 {
                guard !text.allSatisfy({ $0 < 0x80 }) else { return tokens.count - start }
                tokens.removeSubrange(start...)
                return append(String(decoding: text, as: UTF8.self), to: &tokens)
            }
            tokens.append(id)
        }
        return nil
    }

    private func append(_ text: String, to tokens: inout [Int64]) -> Int? {
        for (position, letter) in text.enumerated() {
            guard let id = id(of: letter) else { return position }
            tokens.append(id)
        }
        return nil
    }
}

/// What is wrong with an alphabet, or with a text for it.
public enum AlphabetError: Error, Hashable, Sendable {
    /// No letters.
    case empty
    /// A letter that stands twice.
    case repeatedLetter(String)
    /// A key that is not one character.
    case notALetter(String)
    /// An id that is negative or too large.
    case idOutOfRange(letter: String, id: Int64)
    /// A letter that the alphabet does not have.
    case unknownLetter(position: Int)
}

extension AlphabetError: CustomStringConvertible {
    /// The rule that was broken.
    public var description: String {
        switch self {
        case .empty: "there are no letters"
        case .repeatedLetter(let letter): "letter '\(letter)' stands twice"
        case .notALetter(let key): "'\(key)' is not one letter"
        case .idOutOfRange(let letter, let id): "letter '\(letter)' has the id \(id), which is out of range"
        case .unknownLetter(let position): "the letter at position \(position) is not in the alphabet"
        }
    }
}

extension Alphabet: Codable {
    /// Reads a text of all letters, ids by position, or a map from letter to id.
    ///
    /// - Parameter decoder: The decoder.
    /// - Throws: `DecodingError`, or ``AlphabetError`` if it is no alphabet.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let letters = try? container.decode(String.self) {
            try self.init(letters: letters)
        } else {
            try self.init(ids: try container.decode([String: Int64].self))
        }
    }

    /// Writes the letters as one text if their ids are their positions, else the map.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        let letters = ids.sorted { $0.value < $1.value }
        if letters.map(\.value).elementsEqual(0..<Int64(letters.count)) {
            try container.encode(letters.map(\.key).joined())
        } else {
            try container.encode(ids)
        }
    }
}
