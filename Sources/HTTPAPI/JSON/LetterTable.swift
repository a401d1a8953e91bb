import Inference

/// An alphabet as a table from a byte to a token id; letters beyond ASCII take a slower way.
struct LetterTable: Sendable {
    private static let none: Int64 = -1

    private let alphabet: Alphabet
    private let ids: [Int64]

    init(_ alphabet: Alphabet) {
        self.alphabet = alphabet
        ids = (UInt8.min...UInt8.max).map { byte in
            guard byte < 0x80 else { return Self.none }
            return alphabet.id(of: Character(Unicode.Scalar(byte))) ?? Self.none
        }
    }

    /// Appends the id of each letter; returns the number of the first letter that has none, or nil.
    func append(_ letters: UnsafeBufferPointer<UInt8>, to tokens: inout [Int64]) -> Int? {
        let start = tokens.count
        for letter in letters {
            let id = ids[Int(letter)]
            if id < 0 {
                guard !letters.allSatisfy({ $0 < 0x80 }) else { return tokens.count - start }
                tokens.removeSubrange(start...)
                return append(characters: letters, to: &tokens)
            }
            tokens.append(id)
        }
        return nil
    }

    private func append(characters utf8: UnsafeBufferPointer<UInt8>, to tokens: inout [Int64]) -> Int? {
        for (position, letter) in String(decoding: utf8, as: UTF8.self).enumerated() {
            guard let id = alphabet.id(of: letter) else { return position }
            tokens.append(id)
        }
        return nil
    }
}
