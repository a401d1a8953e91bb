import HTTPTestSupport
import Testing

@testable import SeqnormCLI

/// The program as a process: 0 done, 1 failed, 2 wrong usage.
@Suite(.timeLimit(.minutes(5))) struct ExitCodeTests {
    @Test(arguments: [
        [], ["--help"], ["-h"], ["help", "serve"], ["serve", "--help"], ["predict", "--help"],
        ["inspect", "--help"], ["health", "--help"], ["bench", "--help"], ["freeze", "--help"],
        ["fit", "--help"],
    ])
    func `help is printed on standard output`(arguments: [String]) async throws {
        let found = try await Command(arguments)
        #expect(found.exitCode == 0)
        #expect(found.output.contains("USAGE: seqnorm"))
        #expect(found.error == "")
    }

    @Test func `the version is a line of its own`() async throws {
        let found = try await Command(["--version"])
        #expect(found.exitCode == 0)
        #expect(found.output == Seqnorm.version + "\n")
    }

    @Test(arguments: [
        ["--nonsense"], ["nonsense"], ["serve"], ["serve", "--nonsense", "x"], ["serve", "--port", "x", "x"],
        ["serve", "--port", "65536", "x"], ["serve", "--disable-pass", "no-such", "x"],
        ["inspect", "--disable-pass", "packing", "x"],
        ["inspect", "--precision", "bf16", "x"], ["serve", "--precision", "bfloat16", "x"],
        ["serve", "--batching", "even", "x"], ["predict"],
        ["predict", "--format", "xml", "x"], ["predict", "--threads", "0", "x"], ["inspect"], ["health"],
        ["health", "ftp://localhost"], ["health", "--timeout", "0", "http://localhost"],
        ["bench", "--length", "0", "x"], ["freeze"], ["freeze", "x"], ["freeze", "x", "-o", "y"],
        ["freeze", "x", "--data", "y"], ["freeze", "x", "--data", "y", "-o", "z", "--batch-size", "0"],
        ["freeze", "x", "--data", "y", "-o", "z", "--estimator", "average"],
        ["freeze", "x", "--data", "y", "-o", "z", "--seed", "-1"],
        ["freeze", "x", "--data", "y", "-o", "z", "--max-batches", "0"],
        ["freeze", "x", "--data", "y", "-o", "z", "--partial", "w"],
        ["freeze", "x", "--data", "y", "--partial", "w", "--report", "r"], ["fit"], ["fit", "x"],
        ["fit", "", "-o", "y"],
    ])
    func `wrong usage is 2 and says what is right`(arguments: [String]) async throws {
        let found = try await Command(arguments)
        #expect(found.exitCode == 2)
        #expect(found.output == "")
        #expect(found.error.hasPrefix("Error: ") && found.error.contains("Usage: seqnorm"))
    }

    @Test func `a bad environment variable is wrong usage`() async throws {
        let found = try await Command(["serve", "x"], environment: ["SEQNORM_PORT": "x"])
        #expect(found.exitCode == 2)
        #expect(found.error.hasPrefix("Error: SEQNORM_PORT must be an integer in 0 ... 65535\n"))
    }

    @Test(arguments: [["serve"], ["predict"], ["inspect"], ["bench"], ["freeze", "--dry-run"]])
    func `a missing model is 1 and one line that begins with its path`(command: [String]) async throws {
        let path = try TemporaryFolder().path("missing.onnx")
        let found = try await Command(command + [path])
        #expect(found.exitCode == 1)
        #expect(found.output == "")
        #expect(found.error.hasPrefix("error: \(path): "))
        #expect(found.error.split(separator: "\n").count == 1)
    }

    @Test(arguments: [["predict"], ["inspect"], ["bench"], ["freeze", "--dry-run"]])
    func `a bad model is 1 and one line that begins with its path`(command: [String]) async throws {
        let folder = try TemporaryFolder(["bad.onnx": "no model"])
        let path = folder.path("bad.onnx")
        let found = try await Command(command + [path])
        #expect(found.exitCode == 1)
        #expect(found.output == "")
        #expect(found.error.hasPrefix("error: \(path): not an ONNX model: "))
        #expect(found.error.split(separator: "\n").count == 1)
    }

    @Test func `missing input is 1`() async throws {
        let path = try TemporaryFolder().path("missing.jsonl")
        let found = try await Command(["predict", Program.models + "/vowels-cnn", "--input", path])
        #expect(found.exitCode == 1)
        #expect(found.error == "error: \(path): cannot be read\n")
    }

    @Test func `health is 1 where nobody listens`() async throws {
        var url = ""
        try await TestServer.run(echo) { url = "http://127.0.0.1:\($0.address.port ?? 0)" }
        let found = try await Command(["health", url])
        #expect(found.exitCode == 1)
        #expect(found.error == "error: \(url): no answer: connection refused\n")
    }
}
