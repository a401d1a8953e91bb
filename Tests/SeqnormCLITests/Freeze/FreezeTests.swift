import Foundation
import Safetensors
import TestSupport
import Testing

@testable import SeqnormCLI

/// `seqnorm freeze` as a process.
@Suite(.timeLimit(.minutes(5))) struct FreezeTests {
    private static let model = Fixtures.reference("models/vowels-cnn/train.onnx").path
    private static let data = Fixtures.reference("data/japanese-vowels/test.jsonl").path

    private func freeze(_ arguments: String..., input: String = "") async throws -> Command {
        try await Command(["freeze", Self.model] + arguments, input: input)
    }

    @Test func `a dry run prints what is found and nothing else`() async throws {
        let found = try await freeze("--dry-run")
        #expect(found.exitCode == 0 && found.error == "")
        #expect(found.lines.count == 4)
        #expect(found.lines[1].contains("block1.bn") && found.lines[1].hasSuffix("label on its node  pooled"))
    }

    @Test func `a frozen model is served, and tells how it was made`() async throws {
        let folder = try TemporaryFolder()
        let found = try await freeze(
            "--data",
            Self.data,
            "-o",
            folder.path("m.onnx"),
            "--report",
            folder.path("r.html"),
            "--json",
            folder.path("r.json"),
            "--statistics",
            folder.path("s.safetensors")
        )
        #expect(found.exitCode == 0 && found.error == "", "\(found.error)")
        #expect(found.output.contains("370 sequences, 5687 positions, 12 batches"))
        #expect(found.output.contains("resident memory "))
        #expect(found.lines.count { $0.hasPrefix("  verified: ") } == 4)
        #expect(try folder.names == ["m.onnx", "r.html", "r.json", "s.safetensors"])
        let tensors = try SafetensorsFile(contentsOf: folder.url.appendingPathComponent("s.safetensors"))
        #expect(tensors.tensors["block1.bn.mean"]?.shape.dimensions == [1, 64, 1])
        #expect(tensors.tensors["block3.bn.coverage"]?.array(of: Int64.self) == [12])
        let predicted = try await Command(
            "predict",
            folder.path("m.onnx"),
            "--input",
            Self.data,
            "--accuracy",
            "--output",
            "/dev/null"
        )
        #expect(predicted.error.hasPrefix("accuracy 9"), "\(predicted.error)")
    }

    @Test func `shares in any order give the bytes of the statistics of one run`() async throws {
        let lines = try String(contentsOfFile: Self.data, encoding: .utf8).split(separator: "\n")
        let parts = [lines.prefix(64), lines.dropFirst(64).prefix(96), lines.dropFirst(160).prefix(32)]
        let folder = try TemporaryFolder()
        var ids: [[String]] = []
        for (number, part) in parts.enumerated() {
            let records = part.compactMap { line in
                (try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["id"] as? String
            }
            let groups = stride(from: 0, to: records.count, by: 32).map {
                Array(records[$0..<min($0 + 32, records.count)])
            }
            ids += groups
            try folder.add("ids\(number).json", JSONEncoder().encode(["batches": groups]))
            let found = try await freeze(
                "--data",
                Self.data,
                "--batches",
                folder.path("ids\(number).json"),
                "--partial",
                folder.path("part\(number)")
            )
            #expect(found.exitCode == 0, "\(found.error)")
        }
        try folder.add("all.json", JSONEncoder().encode(ids))
        let whole = try await freeze(
            "--data",
            Self.data,
            "--batches",
            folder.path("all.json"),
            "-o",
            folder.path("whole.onnx"),
            "--statistics",
            folder.path("whole.safetensors")
        )
        #expect(whole.exitCode == 0, "\(whole.error)")
        let merged = try await freeze(
            "--merge",
            folder.path("part2"),
            folder.path("part0"),
            folder.path("part1"),
            "-o",
            folder.path("merged.onnx"),
            "--statistics",
            folder.path("merged.safetensors")
        )
        #expect(merged.exitCode == 0, "\(merged.error)")
        let files = try ["whole", "merged"].map {
            try SafetensorsFile(contentsOf: folder.url.appendingPathComponent("\($0).safetensors"))
        }
        #expect(files[0].tensors == files[1].tensors)
    }

    @Test func `batches as tensors are those of the file's records`() async throws {
        let folder = try TemporaryFolder()
        let found = try await Command(
            "freeze",
            Fixtures.reference("models/nested-scan/nested-scan.onnx").path,
            "--data",
            Fixtures.reference("expected/population/nested-scan.safetensors").path,
            "--partial",
            folder.path("part")
        )
        #expect(found.exitCode == 0, "\(found.error)")
        #expect(found.output.contains("1 file of tensors, 6 batches"))
        #expect(try folder.names == ["part"])
    }

    @Test func `bad data is named with file and line, and nothing is written`() async throws {
        let folder = try TemporaryFolder([
            "x.jsonl": "[[1,2,3,4,5,6,7,8,9,10,11,12]]\n[[1,2]]\n", "empty.jsonl": "",
        ])
        for (name, reason) in [
            ("x.jsonl", ":2: [0]: the row has 2 features, the model takes 12"),
            ("empty.jsonl", ": there are no records"),
            ("missing.jsonl", ": there is no such file or folder"),
        ] {
            let found = try await freeze("--data", folder.path(name), "-o", folder.path("m.onnx"))
            #expect(found.exitCode == 1)
            #expect(found.error == "error: \(folder.path(name))\(reason)\n")
        }
        #expect(try folder.names == ["empty.jsonl", "x.jsonl"])
    }

    @Test func `a missing output folder is refused before the data is read`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("missing/m.onnx")
        let found = try await freeze("--data", "also missing", "-o", path)
        #expect(found.exitCode == 1)
        #expect(found.error == "error: \(path): there is no folder \(folder.path("missing"))\n")
    }

    @Test func `what is read is not overwritten`() async throws {
        let folder = try TemporaryFolder()
        try folder.add("train.onnx", Data(contentsOf: URL(fileURLWithPath: Self.model)))
        let path = folder.path("train.onnx")
        let found = try await Command("freeze", path, "--data", Self.data, "-o", path)
        #expect(found.exitCode == 1)
        #expect(found.error == "error: \(path): would be overwritten, and it is read here\n")
    }

    @Test(arguments: [SIGINT, SIGTERM]) func `a signal stops it and leaves nothing`(
        signal: Int32
    ) async throws {
        let folder = try TemporaryFolder()
        let process = Program.process([
            "freeze", Self.model, "--data", "-", "-o", folder.path("m.onnx"),
        ])
        let (input, output, error) = (Pipe(), Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, error)
        let ends = try process.start()
        // The table is printed, so signals are watched; no input ever comes.
        _ = output.fileHandleForReading.availableData
        kill(process.processIdentifier, signal)
        #expect(await ends() == 128 + signal)
        try input.fileHandleForWriting.close()
        let said = try error.fileHandleForReading.readToEnd() ?? Data()
        #expect(String(decoding: said, as: UTF8.self) == "interrupted; nothing was written\n")
        #expect(try folder.names == [])
    }

    @Test func `a disk that takes no more is named, and nothing is left`() async throws {
        let folder = try TemporaryFolder()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        // A limit on the size of files stands for a full disk; its signal is ignored, so that writing fails.
        process.arguments = [
            "-c", "trap '' XFSZ; ulimit -f 16; exec \"$@\"", "bash", Program.url.path, "freeze", Self.model,
            "--data", Self.data, "-o", folder.path("m.onnx"),
        ]
        let error = Pipe()
        (process.standardOutput, process.standardError) = (FileHandle.nullDevice, error)
        #expect(try await process.exitCode() == 1)
        let said = try error.fileHandleForReading.readToEnd() ?? Data()
        #expect(
            String(decoding: said, as: UTF8.self)
                == "error: \(folder.path("m.onnx")): cannot be written: file too large\n"
        )
        #expect(try folder.names == [])
    }
}
