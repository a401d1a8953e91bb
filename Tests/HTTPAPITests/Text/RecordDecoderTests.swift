import Foundation
import Inference
import NIOCore
import TensorCore
import TestSupport
import Testing

@testable import HTTPAPI

@Suite struct RecordDecoderTests {
    private func records<D: RecordDecoder>(_ decoder: D, _ text: [UInt8], pieces: Int) -> [SequenceRecord] {
        var decoder = decoder
        var records: [SequenceRecord] = []
        var start = 0
        while start < text.count {
            let end = min(start + pieces, text.count)
            Array(text[start..<end]).withUnsafeBytes { decoder.append($0) }
            start = end
            while let record = decoder.next() { records.append(record) }
        }
        decoder.finish()
        while let record = decoder.next() { records.append(record) }
        return records
    }

    private static let fasta =
        "\u{FEFF};comment\r\n\r\n>one first of all\r\nCAD\r\n \tCA \r\n\n>\nA\n>one\n>x\nCAXD\nCAD\n> y z\nDD"
    private static let jsonLines =
        "\u{FEFF}{\"id\":\"a\",\"label\":\"1\",\"sequence\":\"CAD\",\"source\":[{}]}\r\n\n  \n[1,0]\n\"DD\"\n{\"id\":7,\"label\":3,\"tokens\":[2]}\n"
        + "{\"id\":\"b\",\"sequence\":\"CAX\"}\n{\"id\":\"c\"}\n{bad\n{\"id\":null,\"sequence\":\"A\"}\n{\"id\":1.5,\"sequence\":\"A\"}\n\"A\""

    @Test func `pieces may be cut anywhere`() throws {
        let signature = try BodyFixtures.tokens()
        let fasta = Array(Self.fasta.utf8)
        let wholeFASTA = records(try FASTADecoder(signature: signature), fasta, pieces: fasta.count)
        let lines = Array(Self.jsonLines.utf8)
        let wholeLines = records(JSONLinesDecoder(signature: signature), lines, pieces: lines.count)
        let late = Array("\n\u{FEFF}\"CAD\"\n\"C\"".utf8)
        let wholeLate = records(JSONLinesDecoder(signature: signature), late, pieces: late.count)
        #expect(wholeLate.map(\.line) == [2, 3] && (try? wholeLate[0].sequence.get()) == nil)
        for pieces in 1..<40 {
            #expect(records(JSONLinesDecoder(signature: signature), late, pieces: pieces) == wholeLate)
            #expect(records(try FASTADecoder(signature: signature), fasta, pieces: pieces) == wholeFASTA)
            #expect(records(JSONLinesDecoder(signature: signature), lines, pieces: pieces) == wholeLines)
        }
    }

    @Test func `FASTA records have ids, wrapped lines and their errors`() throws {
        var decoder = try FASTADecoder(signature: BodyFixtures.tokens())
        let records = decoder.records(in: ByteBuffer(string: Self.fasta))
        #expect(records.map(\.id) == ["one", "", "one", "x", "y"].map { .string($0) })
        #expect(records.map(\.line) == [3, 7, 9, 10, 13])
        #expect(try records[0].sequence.get().rows.array(of: Int64.self) == [1, 0, 2, 1, 0])
        #expect(try records[1].sequence.get().rows.array(of: Int64.self) == [0])
        #expect(try records[4].sequence.get().rows.array(of: Int64.self) == [2, 2])
        let empty = BodyError.invalidInput(.emptySequence, at: BodyPlace([.key("sequence")], line: 9))
        #expect(records[2].sequence == .failure(empty))
        let letter = BodyPlace([.key("sequence"), .index(2)], line: 11)
        #expect(records[3].sequence == .failure(.invalidInput(.letterOutsideAlphabet, at: letter)))
    }

    @Test func `FASTA without a header is one error, and what follows is read`() throws {
        var decoder = try FASTADecoder(signature: BodyFixtures.tokens())
        let records = decoder.records(in: ByteBuffer(string: "CAD\nCAD\n>a\nC\n"))
        #expect(records.count == 2)
        #expect(records[0].sequence == .failure(.invalidJSON(.textBeforeHeader, at: BodyPlace(line: 1))))
        #expect((try? records[1].sequence.get())?.lengths == [1])
    }

    @Test func `FASTA is for models with an alphabet`() throws {
        let features = BodyFixtures.error { () throws(BodyError) in
            try FASTADecoder(signature: BodyFixtures.features(2))
        }
        #expect(features == .invalidInput(.textForFeatures, at: BodyPlace()))
        let signature = try BodyFixtures.tokens(nil)
        let noAlphabet = BodyFixtures.error { () throws(BodyError) in try FASTADecoder(signature: signature) }
        #expect(noAlphabet == .invalidInput(.noAlphabet, at: BodyPlace()))
    }

    @Test func `JSON Lines are sequences, objects and errors by line`() throws {
        var decoder = JSONLinesDecoder(signature: try BodyFixtures.tokens())
        let records = decoder.records(in: ByteBuffer(string: Self.jsonLines))
        #expect(records.map(\.line) == [1, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        #expect(
            records.map(\.id) == [
                .string("a"), nil, nil, .integer(7), .string("b"), .string("c"), nil, nil, nil, nil,
            ]
        )
        #expect(records[0].label == "1")
        #expect(records[3].label == "3")
        let tokens = try records[..<4].map { try $0.sequence.get().rows.array(of: Int64.self) }
        #expect(tokens == [[1, 0, 2], [1, 0], [2, 2], [2]])
        let errors = records.map { record -> String in
            if case .failure(let error) = record.sequence { "\(error)" } else { "" }
        }
        #expect(errors[4] == "line 7, sequence[2]: \(InputRule.letterOutsideAlphabet)")
        #expect(errors[5] == "line 8: 'sequence' is missing")
        #expect(errors[6].hasPrefix("line 9: not JSON"))
        #expect(errors[7].isEmpty)
        #expect(errors[8].hasPrefix("line 11, id: needs a string"))
        #expect(errors[9].isEmpty)
    }

    @Test func `rows of numbers are named by line and place`() throws {
        var decoder = JSONLinesDecoder(signature: BodyFixtures.features(2))
        let records = decoder.records(in: ByteBuffer(string: "[[1,2]]\n[[1,2],[3]]\n{\"x\":[[1,1e39]]}\n"))
        #expect((try? records[0].sequence.get())?.rows.shape == [1, 2])
        let row = BodyPlace([.index(1)], line: 2)
        #expect(records[1].sequence == .failure(.invalidInput(.featureCount(expected: 2, found: 1), at: row)))
        let number = BodyPlace([.key("x"), .index(0), .index(1)], line: 3)
        #expect(records[2].sequence == .failure(.invalidInput(.outOfFloatRange, at: number)))
    }

    @Test func `a line over the limit is one error however it is cut`() throws {
        let limits = DecodingLimits(maxLineBytes: 8)
        let text = Array(
            "\"A\"\n\(String(repeating: "x", count: 100))\n\"CC\"\n\(String(repeating: "y", count: 9))".utf8
        )
        for pieces in [1, 3, 7, 50, 1000] {
            let decoder = JSONLinesDecoder(signature: try BodyFixtures.tokens(), limits: limits)
            let records = records(decoder, text, pieces: pieces)
            #expect(records.map(\.line) == [1, 2, 3, 4], "\(pieces)")
            #expect(records.map { (try? $0.sequence.get())?.lengths } == [[1], nil, [2], nil])
        }
    }

    @Test func `every invalid peptide of the reference data is refused`() throws {
        let text = try Data(contentsOf: Fixtures.reference("data/peptides/invalid.jsonl"))
        var decoder = JSONLinesDecoder(signature: try BodyFixtures.tokens())
        let records = decoder.records(in: ByteBuffer(bytes: text))
        #expect(records.count >= 8)
        for record in records {
            guard case .failure(.invalidInput) = record.sequence else {
                Issue.record("line \(record.line) was taken")
                continue
            }
        }
    }

    @Test func `random bytes give errors and never a trap`() throws {
        var generator = FixedGenerator(seed: 8)
        let signature = try BodyFixtures.tokens()
        for _ in 0..<500 {
            var text = Array((Bool.random(using: &generator) ? Self.fasta : Self.jsonLines).utf8)
            for _ in 0..<4 {
                let place = Int.random(in: 0..<text.count, using: &generator)
                text[place] = UInt8.random(in: 0...255, using: &generator)
            }
            let pieces = Int.random(in: 1...text.count, using: &generator)
            let lines = records(JSONLinesDecoder(signature: signature), text, pieces: pieces)
            #expect(lines == records(JSONLinesDecoder(signature: signature), text, pieces: text.count))
            let fasta = records(try FASTADecoder(signature: signature), text, pieces: pieces)
            #expect(fasta == records(try FASTADecoder(signature: signature), text, pieces: text.count))
        }
    }

    @Test func `answers are lines with ids, errors stand on their own`() throws {
        var decoder = JSONLinesDecoder(signature: try BodyFixtures.tokens())
        let text = "{\"id\":\"a\",\"sequence\":\"CA\"}\n\"CXA\"\n[1]\n{\"id\":3,\"sequence\":\"\"}\n"
        let records = decoder.records(in: ByteBuffer(string: text))
        let batch = try #require(try SequenceRecord.batch(records))
        #expect(batch.lengths == [2, 1])
        let output = SequenceOutput(name: "y", rows: try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]))
        let lines = LinesEncoder().encode([output], for: records).text.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[0] == "{\"id\":\"a\",\"predictions\":[1,2]}")
        #expect(lines[2] == "{\"predictions\":[3,4]}")
        #expect(
            lines[1]
                == "{\"line\":2,\"error\":\"\(InputRule.letterOutsideAlphabet)\",\"code\":\"invalid_input\",\"status\":422,\"path\":\"[1]\"}"
        )
        #expect(lines[3].hasPrefix("{\"id\":3,\"line\":4,\"error\":"))
        let failure = LinesEncoder.Failure(message: "overloaded", code: "overloaded", status: 429)
        let failed = LinesEncoder().encode(failure, for: records).text.split(separator: "\n")
        #expect(
            failed[0]
                == "{\"id\":\"a\",\"line\":1,\"error\":\"overloaded\",\"code\":\"overloaded\",\"status\":429}"
        )
        #expect(failed[1] == lines[1])
    }
}
