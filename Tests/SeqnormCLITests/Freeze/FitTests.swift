import Foundation
import TestSupport
import Testing

@testable import SeqnormCLI

/// `seqnorm fit` as a process.
@Suite(.timeLimit(.minutes(5))) struct FitTests {
    @Test func `the model normalizes what it was fitted to`() async throws {
        let folder = try TemporaryFolder([
            "x.jsonl": "[[1,10],[3,10]]\n{\"id\":\"b\",\"sequence\":[[5,40]]}\n"
        ])
        let found = try await Command(
            "fit",
            folder.path("x.jsonl"),
            "-o",
            folder.path("n"),
            "--json",
            folder.path("j")
        )
        #expect(found.exitCode == 0, "\(found.error)")
        #expect(found.lines.first == "fitted 2 channels to 2 sequences, 3 positions")
        #expect(try folder.names == ["j", "n", "x.jsonl"])
        let answer = try await Command("predict", folder.path("n"), input: "[[3,20]]\n")
        let line = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any]
        let rows = try #require((line?.values.first as? [[Double]]) ?? (line?["predictions"] as? [[Double]]))
        #expect(rows.count == 1 && rows[0].allSatisfy { $0.magnitude < 1e-6 })
    }

    @Test func `every fit is a new version`() async throws {
        let folder = try TemporaryFolder(["x.jsonl": "[[1],[2]]\n", "n/7/model.onnx": ""])
        let found = try await Command("fit", folder.path("x.jsonl"), "-o", folder.path("n"))
        #expect(found.exitCode == 0, "\(found.error)")
        #expect(FileManager.default.fileExists(atPath: folder.path("n/8/model.onnx")))
    }

    @Test(arguments: [
        ("", ": there are no records"), ("\n\n", ": there are no records"), ("no\n", ":1: not JSON"),
        (
            "\n[1,2]\n",
            ":2: a list of positions is needed, each a list of numbers: {\"sequence\": [[0.5, 1.5], ...]}"
        ), ("[[1,2]]\n[[1]]\n", ":2: [0]: the row has 1 features, the model takes 2"),
    ]) func `bad data is named with file and line, and nothing is written`(text: String, reason: String)
        async throws
    {
        let folder = try TemporaryFolder(["x.jsonl": text])
        let found = try await Command("fit", folder.path("x.jsonl"), "-o", folder.path("n"))
        #expect(found.exitCode == 1)
        #expect(found.error == "error: \(folder.path("x.jsonl"))\(reason)\n")
        #expect(try folder.names == ["x.jsonl"])
    }
}
