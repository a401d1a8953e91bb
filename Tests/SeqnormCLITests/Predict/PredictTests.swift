import Foundation
import TestSupport
import Testing

@testable import SeqnormCLI

/// `seqnorm predict` as a process.
@Suite(.timeLimit(.minutes(5))) struct PredictTests {
    private static let peptides = Program.models + "/peptide-bytenet"
    private static let vowels = Program.models + "/vowels-cnn"

    private struct Answer: Decodable {
        let id: String?
        let predictions: [Float]?
    }

    private func answers(_ lines: [String]) throws -> [Answer] {
        try lines.map { try JSONDecoder().decode(Answer.self, from: Data($0.utf8)) }
    }

    // MARK: Formats

    @Test func `JSON Lines and FASTA get the same answers, by extension, by first byte and by flag`()
        async throws
    {
        let json = #"{"id":"a","sequence":"GLFDIVKKVV"}"# + "\n" + #"{"id":"b","sequence":"ACD"}"# + "\n"
        let fasta = ">a first\nGLFDI\nVKKVV\n>b\nACD\n"
        let folder = try TemporaryFolder([
            "a.jsonl": json, "b.fasta": fasta, "c.FA": fasta, "d.txt": fasta, "e.txt": json, "f.json": fasta,
        ])
        let expected = try await Command("predict", Self.peptides, input: json)
        #expect(expected.exitCode == 0)
        #expect(expected.error == "")
        #expect(try answers(expected.lines).map(\.id) == ["a", "b"])
        #expect(try answers(expected.lines).allSatisfy { $0.predictions?.count == 2 })
        for name in ["a.jsonl", "b.fasta", "c.FA", "d.txt", "e.txt"] {
            let found = try await Command("predict", Self.peptides, "--input", folder.path(name))
            #expect(found.output == expected.output, "\(name): \(found.error)")
        }
        let told = try await Command(
            "predict",
            Self.peptides,
            "--input",
            folder.path("f.json"),
            "--format",
            "fasta"
        )
        #expect(told.output == expected.output)
        #expect(try await Command("predict", Self.peptides, input: fasta).output == expected.output)
        let wrong = try await Command("predict", Self.peptides, "--input", folder.path("f.json"))
        #expect(wrong.exitCode == 1)
        #expect(wrong.error.hasPrefix("error: \(folder.path("f.json")):1: "))
    }

    @Test func `no input is no answer`() async throws {
        let found = try await Command("predict", Self.peptides)
        #expect(found.exitCode == 0)
        #expect(found.output == "" && found.error == "")
    }

    @Test func `FASTA for a model that takes numbers is an error of the model`() async throws {
        let found = try await Command("predict", Self.vowels, input: ">a\nACD\n")
        #expect(found.exitCode == 1)
        #expect(found.error == "error: \(Self.vowels): the model takes rows of numbers, not text\n")
    }

    // MARK: Bad records

    private static let mixed = "\"ACD\"\n\n\"ACZ\"\n{\n\"GLF\"\n"

    @Test func `a bad record stops the run, is named with its line, and leaves no file`() async throws {
        let folder = try TemporaryFolder(["in.jsonl": Self.mixed])
        let found = try await Command(
            "predict",
            Self.peptides,
            "--input",
            folder.path("in.jsonl"),
            "--output",
            folder.path("out")
        )
        #expect(found.exitCode == 1)
        #expect(found.error.hasPrefix("error: \(folder.path("in.jsonl")):3: "))
        #expect(found.error.split(separator: "\n").count == 1)
        #expect(try folder.names == ["in.jsonl"])
    }

    @Test func `a skipped record is named with its line, and the others are answered`() async throws {
        let found = try await Command("predict", Self.peptides, "--on-error", "skip", input: Self.mixed)
        #expect(found.exitCode == 0)
        #expect(found.lines.count == 2)
        let lines = found.error.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.first?.hasPrefix("standard input:3: skipped: ") == true)
        #expect(lines.dropFirst().first?.hasPrefix("standard input:4: skipped: ") == true)
        #expect(lines.last == "2 answered, 2 skipped")
    }

    // MARK: Output

    @Test func `an output file is replaced when the run is complete, and only then`() async throws {
        let folder = try TemporaryFolder(["good": "\"ACD\"\n", "bad": "\"ACD\"\n?\n", "out": "old"])
        let failed = try await Command(
            "predict",
            Self.peptides,
            "--input",
            folder.path("bad"),
            "--output",
            folder.path("out")
        )
        #expect(failed.exitCode == 1)
        #expect(try folder.text("out") == "old")
        let done = try await Command(
            "predict",
            Self.peptides,
            "--input",
            folder.path("good"),
            "--output",
            folder.path("out")
        )
        #expect(done.exitCode == 0)
        #expect(done.output == "")
        #expect(try answers([folder.text("out")]).count == 1)
        #expect(try folder.names == ["bad", "good", "out"])
    }

    @Test func `an output file is not there under its name while it is written`() throws {
        let folder = try TemporaryFolder()
        let output = try PredictOutput(path: folder.path("out"))
        try output.write(Array("line\n".utf8))
        #expect(try !folder.names.contains("out"))
        try output.commit()
        #expect(try folder.names == ["out"])
        #expect(try folder.text("out") == "line\n")
        let other = try PredictOutput(path: folder.path("other"))
        other.discard()
        #expect(try folder.names == ["out"])
        let nowhere = folder.path("no/such/folder")
        #expect(throws: PredictError.cannotWrite(nowhere)) { try PredictOutput(path: nowhere) }
    }

    @Test func `standard error stays empty where it is no terminal`() async throws {
        let input = Fixtures.reference("data/proteins/proteins.fasta").path
        let folder = try TemporaryFolder()
        let found = try await Command(
            "predict",
            Self.peptides,
            "--input",
            input,
            "--output",
            folder.path("out"),
            "--on-error",
            "stop"
        )
        #expect(found.exitCode == 0)
        #expect(found.error == "")
    }

    // MARK: Answers

    @Test func `the likeliest classes are named, the likeliest first`() async throws {
        struct Classes: Decodable {
            struct Class: Decodable {
                let label: String
                let probability: Double
            }
            let predictions: [Class]
        }
        let found = try await Command("predict", Self.peptides, "--top-k", "2", input: "\"ACDKKLL\"\n")
        #expect(found.exitCode == 0)
        let line = try #require(found.lines.first)
        let classes = try JSONDecoder().decode(Classes.self, from: Data(line.utf8)).predictions
        #expect(Set(classes.map(\.label)) == ["other", "antimicrobial"])
        #expect(classes[0].probability >= classes[1].probability)
        #expect(abs(classes.map(\.probability).reduce(0, +) - 1) < 1e-5)
        let one = try await Command("predict", Self.peptides, "--top-k", "1", input: "\"ACDKKLL\"\n")
        #expect(one.output.contains(classes[0].label) && !one.output.contains(classes[1].label))
        let many = try await Command("predict", Self.peptides, "--top-k", "3", input: "\"ACD\"\n")
        #expect(many.exitCode == 1)
        #expect(many.error == "error: \(Self.peptides): the model has 2 classes, and --top-k asks for 3\n")
        #expect(try await Command("predict", Self.peptides, "--top-k", "0").exitCode == 2)
    }

    @Test func `labels are compared and the accuracy is told on standard error`() async throws {
        let input = Fixtures.reference("data/japanese-vowels/test.jsonl").path
        let found = try await Command("predict", Self.vowels, "--input", input, "--accuracy")
        #expect(found.exitCode == 0)
        #expect(found.lines.count == 370)
        #expect(found.error.hasPrefix("accuracy 9") && found.error.hasSuffix(" of 370)\n"))
        let none = try await Command("predict", Self.peptides, "--accuracy", input: "\"ACD\"\n")
        #expect(none.exitCode == 1)
        #expect(
            none.error
                == "error: standard input: no record with a label was answered, and --accuracy needs one\n"
        )
    }

    @Test func `an output that the model has not is an error that lists those it has`() async throws {
        let found = try await Command("predict", Self.peptides, "--output-name", "x", input: "\"ACD\"\n")
        #expect(found.exitCode == 1)
        #expect(
            found.error
                == "error: \(Self.peptides): there is no output 'x'; there are predictions, normalized\n"
        )
    }

    @Test func `inspect prints JSON that a program can read`() async throws {
        let found = try await Command("inspect", Self.peptides, "--json")
        #expect(found.exitCode == 0)
        let value = try JSONSerialization.jsonObject(with: Data(found.output.utf8))
        let summary = try #require(value as? [String: Any])
        #expect(summary["parameters"] as? Int == 84162)
        #expect((summary["digest"] as? String)?.count == 64)
        #expect(summary["signature"] is [String: Any])
    }
}
