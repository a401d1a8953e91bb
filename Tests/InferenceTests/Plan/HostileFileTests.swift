import Foundation
import Inference
import ModelTrial
import ONNXGraph
import TestSupport
import Testing

/// Files made to break an engine, and those that the fuzzer found: each gives an answer or a typed error, soon.
struct HostileFileTests {
    private static let files: [String] = {
        let folder = Fixtures.file("hostile")
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (names ?? []).filter { $0.hasSuffix(".onnx") }.sorted()
    }()

    @Test func `there are files`() { #expect(Self.files.count > 70) }

    @Test(.timeLimit(.minutes(10)), arguments: files)
    func `a hostile file gives an answer or a typed error, and breaks no law`(_ name: String) throws {
        let file = Fixtures.file("hostile/\(name)")
        try Trial(try Data(contentsOf: file)).run()
        // As a file, constants may be in others beside it.
        guard let model = try? Model(contentsOf: file, limits: Trial.limits),
            (try? model.validate()) != nil
        else { return }
        _ = try? ExecutionPlan(model)
    }
}
