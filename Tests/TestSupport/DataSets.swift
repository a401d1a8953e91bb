public import Foundation
public import TensorCore

/// One line of `japanese-vowels/*.jsonl`.
public struct VowelSequence: Decodable, Sendable {
    /// The line's name.
    public let id: String
    /// "1" to "9".
    public let label: String
    /// `L` steps of 12 features.
    public let sequence: [[Float]]

    /// The features, `[L, 12]`.
    ///
    /// - Returns: A tensor with a row a step.
    /// - Throws: ``ShapeError/elementCountMismatch(expected:actual:)`` if a step has not 12 features.
    public func rows() throws -> Tensor {
        try Tensor(Array(sequence.joined()), shape: Shape(checking: [sequence.count, 12]))
    }
}

/// One line of `peptides/*.jsonl`.
public struct PeptideSequence: Decodable, Sendable {
    /// The line's name.
    public let id: String
    /// "0" or "1"; nil in `invalid.jsonl`.
    public let label: String?
    /// Letters of ``alphabet``, except in `invalid.jsonl`.
    public let sequence: String

    /// The letters in the order of their token ids.
    public static let alphabet = "ACDEFGHIKLMNPQRSTVWY"

    /// The token ids, `[L]`.
    ///
    /// - Returns: An int64 tensor.
    /// - Throws: ``DataSets/UnknownLetter`` for a letter outside the alphabet.
    public func rows() throws -> Tensor { try DataSets.tokens(sequence) }
}

/// The data sets of `Tests/Fixtures/reference/data`.
public enum DataSets {
    /// A letter outside the alphabet.
    public struct UnknownLetter: Error, Equatable {
        /// The letter.
        public let letter: Character
    }

    /// The lines of a JSON Lines file.
    ///
    /// - Parameters:
    ///   - type: What a line holds.
    ///   - file: The file; blank lines are skipped.
    /// - Returns: One value a line.
    /// - Throws: A file or JSON error.
    public static func lines<Line: Decodable>(of type: Line.Type = Line.self, in file: URL) throws -> [Line] {
        let decoder = JSONDecoder()
        return try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")).map {
            try decoder.decode(Line.self, from: $0)
        }
    }

    /// The sequences of `japanese-vowels`.
    ///
    /// - Parameter part: `train` or `test`.
    /// - Returns: In file order.
    /// - Throws: A file or JSON error.
    public static func vowels(_ part: String) throws -> [VowelSequence] {
        try lines(in: Fixtures.reference("data/japanese-vowels/\(part).jsonl"))
    }

    /// The sequences of `peptides`.
    ///
    /// - Parameter part: `train`, `test` or `invalid`.
    /// - Returns: In file order.
    /// - Throws: A file or JSON error.
    public static func peptides(_ part: String) throws -> [PeptideSequence] {
        try lines(in: Fixtures.reference("data/peptides/\(part).jsonl"))
    }

    /// The sequences of `proteins.fasta`.
    ///
    /// - Returns: Letters, in file order.
    /// - Throws: A file error.
    public static func proteins() throws -> [String] {
        let text = try String(
            contentsOf: Fixtures.reference("data/proteins/proteins.fasta"),
            encoding: .utf8
        )
        return text.split(separator: ">").map { record in
            record.split(separator: "\n").dropFirst().joined()
        }
    }

    /// The token ids of letters of ``PeptideSequence/alphabet``.
    ///
    /// - Parameter letters: The sequence.
    /// - Returns: int64, `[L]`.
    /// - Throws: ``UnknownLetter``.
    public static func tokens(_ letters: String) throws -> Tensor {
        let alphabet = Array(PeptideSequence.alphabet)
        let ids = try letters.map { letter in
            guard let id = alphabet.firstIndex(of: letter) else { throw UnknownLetter(letter: letter) }
            return Int64(id)
        }
        return try Tensor(ids, shape: Shape(checking: [ids.count]))
    }
}
