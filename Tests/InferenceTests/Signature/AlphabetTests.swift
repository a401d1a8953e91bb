import Foundation
import Inference
import TestSupport
import Testing

@Suite struct AlphabetTests {
    private struct Line: Decodable {
        let id: String
        let sequence: String
    }

    private let peptides = "ACDEFGHIKLMNPQRSTVWY"

    @Test func `letters have their positions as ids`() throws {
        let alphabet = try Alphabet(letters: peptides)
        #expect(alphabet.count == 20)
        #expect(try alphabet.tokens(of: "GLFDIVKK") == [5, 9, 4, 2, 7, 17, 8, 8])
    }

    @Test func `everything that is no peptide is refused`() throws {
        let alphabet = try Alphabet(letters: peptides)
        let text = try String(contentsOf: Fixtures.reference("data/peptides/invalid.jsonl"), encoding: .utf8)
        let lines = try text.split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
        #expect(lines.count == 14)
        for line in lines {
            #expect(throws: AlphabetError.self, "\(line.id)") { try alphabet.tokens(of: line.sequence) }
        }
    }

    @Test func `the position of the first wrong letter is named`() throws {
        let alphabet = try Alphabet(letters: peptides)
        for (text, position) in [("ACX", 2), ("ac", 0), ("A C", 1), ("AéC", 1), ("AC\n", 2), ("A1B", 1)] {
            #expect(throws: AlphabetError.unknownLetter(position: position)) { try alphabet.tokens(of: text) }
        }
        #expect(throws: AlphabetError.empty) { try alphabet.tokens(of: "") }
    }

    @Test func `an alphabet is read and written as text or as a map`() throws {
        for json in [#""ACGT""#, #"{"A":3,"B":1}"#] {
            let alphabet = try JSONDecoder().decode(Alphabet.self, from: Data(json.utf8))
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            #expect(try String(decoding: encoder.encode(alphabet), as: UTF8.self) == json)
        }
    }

    @Test func `what is no alphabet is refused`() {
        #expect(throws: AlphabetError.empty) { try Alphabet(letters: "") }
        #expect(throws: AlphabetError.repeatedLetter("A")) { try Alphabet(letters: "ABA") }
        #expect(throws: AlphabetError.notALetter("")) { try Alphabet(ids: ["": 0]) }
        #expect(throws: AlphabetError.idOutOfRange(letter: "A", id: -1)) { try Alphabet(ids: ["A": -1]) }
        #expect(throws: AlphabetError.idOutOfRange(letter: "A", id: .max)) { try Alphabet(ids: ["A": .max]) }
    }
}
