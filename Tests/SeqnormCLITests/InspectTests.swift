import Foundation
import Inference
import ONNXGraph
import TestSupport
import Testing

@testable import SeqnormCLI

@Suite struct InspectTests {
    private func report(_ name: String) throws -> String {
        let bytes = try Data(contentsOf: Fixtures.reference("models/\(name).onnx"))
        let summary = try ModelSummary(of: Model(serialized: bytes), digest: Digest.sha256Hex(bytes))
        return InspectReport(summary).text(title: name)
    }

    @Test func `a report names signature, operators, sites and parameters`() throws {
        let text = try report("peptide-bytenet/inference")
        for part in [
            "parameters  84162", "tokens: int64 [batch, time], tokens 0 to 20",
            "mask: float32 [batch, 1, time]",
            "predictions: a row for a sequence, [2]", "normalized: a row for a position, [64]",
            "ACDEFGHIKLMNPQRSTVWY", "4  Conv", "block4.bn  affine chain  64 channels  all steps",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        #expect(
            try report("vowels-bnlstm/inference").contains("lstm.bn_c  affine chain  64 channels   26 steps")
        )
    }

    private func plan(
        _ name: String,
        without disabled: Set<PassName> = [],
        _ precision: Precision = .float32
    ) throws -> String {
        let model = try SequenceModel(
            model: Model(contentsOf: Fixtures.reference("models/\(name).onnx")),
            disabledPasses: disabled,
            precision: precision
        )
        return PlanText(try model.planReport(for: .outputs([])), precision: precision).text
    }

    @Test func `a plan names each node, how it runs, and what is not packed`() throws {
        let loop = try plan("vowels-bnlstm/inference")
        #expect(loop.contains("packed      Scan"))
        let convolutions = try plan("vowels-cnn/inference")
        #expect(convolutions.contains("packed      Gemm"))
        #expect(convolutions.contains(" 0 by sequence"))
    }

    @Test func `a plan marks the convolutions that are filtered`() throws {
        func marks(_ plan: String) -> Int {
            plan.split(separator: "\n").count { $0.hasSuffix("  (filtered)") }
        }
        #expect(try marks(plan("vowels-cnn/inference")) == 3)
        #expect(try marks(plan("vowels-cnn/inference", without: [.minimalFiltering])) == 0)
        let narrow = try plan("vowels-cnn/inference", .bfloat16)
        #expect(narrow.contains("but for filtered convolutions") == (marks(narrow) > 0))
    }

    @Test func `a report of a model that cannot be served says why`() throws {
        #expect(try report("nested-scan/inference").contains("unknown     input 'x' has the axes"))
    }

    @Test func `an argument names a file, a folder, or the highest version of a model`() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: root) }
        for version in ["2", "10", "011", "x"] {
            let folder = root.appendingPathComponent(version)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data().write(to: folder.appendingPathComponent("model.onnx"))
        }
        let highest = try ModelArgument(path: root.path)
        #expect(highest.file.path == root.path + "/10/model.onnx")
        #expect(try highest.document() == nil)
        try Data("{}".utf8).write(to: root.appendingPathComponent("model.json"))
        #expect(try highest.document() == Data("{}".utf8))
        #expect(try ModelArgument(path: root.path + "/2").file.path == root.path + "/2/model.onnx")
        #expect(try ModelArgument(path: root.path + "/2/model.onnx").file.path == root.path + "/2/model.onnx")
        #expect(throws: ModelArgument.Fault.missing("/nonexistent")) {
            try ModelArgument(path: "/nonexistent")
        }
        let empty = root.appendingPathComponent("empty")
        try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
        #expect(throws: ModelArgument.Fault.noModel(empty.path)) { try ModelArgument(path: empty.path) }
    }
}
