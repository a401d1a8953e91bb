import Foundation
import Inference
import TensorCore
import Testing

@testable import SeqnormCLI

@Suite struct RecordIndexTests {
    private static let features = Signature(
        sequence: SequenceInput(name: "x", kind: .features(layout: .channelsLast, channels: 2)),
        outputs: []
    )

    private func index(
        _ texts: [String],
        ids: Set<String> = [],
        suffix: String = "jsonl",
        signature: Signature = features
    ) throws -> (RecordIndex, TemporaryFolder) {
        let folder = try TemporaryFolder()
        var files: [DataFile] = []
        for (number, text) in texts.enumerated() {
            try folder.add("\(number).\(suffix)", Data(text.utf8))
            files.append(
                try DataFile(path: folder.path("\(number).\(suffix)"), interruption: Interruption())
            )
        }
        var bar = ProgressBar(totalBytes: nil, isShown: false)
        let index = try RecordIndex(
            files: files,
            format: nil,
            signature: signature,
            ids: ids,
            interruption: Interruption(),
            progress: &bar
        )
        return (index, folder)
    }

    private func line(_ value: Int, length: Int) -> String {
        "[" + (0..<length).map { "[\(value),\($0)]" }.joined(separator: ",") + "]"
    }

    @Test(arguments: ["\n", "\r\n", "\n\n", "\n \t\r\n"], ["", "\u{FEFF}"])
    func `records are found again in any order, whatever stands between lines`(
        separator: String,
        beginning: String
    ) throws {
        let lengths = [1, 3, 400, 2, 9000, 1, 7]
        let texts = [lengths.prefix(4), lengths.suffix(3)].map { part in
            beginning + part.enumerated().map { line($0, length: $1) }.joined(separator: separator)
        }
        let (index, _) = try index(texts)
        #expect(index.entries.count == lengths.count)
        #expect(index.positions == lengths.reduce(0, +))
        for number in RandomOrder.shuffled(lengths.count, seed: 3).map({ Int($0) }) {
            let found = try index.sequences([number])
            #expect(found.lengths == [lengths[number]])
            #expect(found.rows.array(of: Float.self)[0] == Float(number < 4 ? number : number - 4))
        }
        let all = try index.sequences([6, 0, 2])
        #expect(all.lengths == [7, 1, 400])
    }

    @Test func `letters over several lines are found again`() throws {
        var signature = Signature(sequence: SequenceInput(name: "t", kind: .tokens), outputs: [])
        signature.alphabet = try Alphabet(letters: "ACD")
        let (index, _) = try index(
            [">a one\nAC\nDA\n\n; note\n>b\nD\n>c\nCC\nC\n"],
            ids: ["b"],
            suffix: "fasta",
            signature: signature
        )
        #expect(index.entries.map(\.line) == [1, 6, 8])
        #expect(try index.sequences([2, 0]).lengths == [3, 4])
        #expect(index.named == ["b": 1])
    }

    @Test func `a bad record is named with its file and line before any work`() throws {
        let error = #expect(throws: CommandFault.self) {
            _ = try self.index([line(1, length: 2) + "\n\n[[1,2],[3]]\n"])
        }
        #expect(error?.place.hasSuffix("0.jsonl:3") == true)
        #expect(error?.reason == "[1]: the row has 1 features, the model takes 2")
    }

    @Test func `an id that is asked for and stands twice is refused`() throws {
        let lines = #"{"id":"a","x":[[1,2]]}"# + "\n" + #"{"id":"a","x":[[1,2]]}"#
        #expect(try index([lines]).0.entries.count == 2)
        #expect(throws: CommandFault.self) { _ = try self.index([lines], ids: ["a"]) }
    }

    @Test func `batches are found by their ids`() throws {
        let lines = (0..<4).map { #"{"id":\#($0 < 2 ? "\"r\($0)\"" : "\($0)"),"x":[[\#($0),2]]}"# }
        let folder = try TemporaryFolder([
            "good.json": #"{"data": "x", "batches": [["r1", 3], ["r0"]]}"#, "bare.json": #"[["r1"]]"#,
            "unknown.json": #"[["r1"], ["r0", "nobody"]]"#, "empty.json": "[]", "hole.json": #"[["r1"], []]"#,
            "wrong.json": #"{"batches": "r1"}"#,
        ])
        let list = try BatchList(path: folder.path("good.json"))
        let (index, _) = try index([lines.joined(separator: "\n")], ids: list.ids)
        #expect(try list.places(in: index, path: "good.json") == [[1, 3], [0]])
        #expect(try BatchList(path: folder.path("bare.json")).batches == [["r1"]])
        let unknown = try BatchList(path: folder.path("unknown.json"))
        let fault = #expect(throws: CommandFault.self) { try unknown.places(in: index, path: "u") }
        #expect(fault?.reason == "batches[1][1]: the data has no record with the id 'nobody'")
        for name in ["empty.json", "hole.json", "wrong.json", "missing.json"] {
            #expect(throws: CommandFault.self) { try BatchList(path: folder.path(name)) }
        }
    }
}
