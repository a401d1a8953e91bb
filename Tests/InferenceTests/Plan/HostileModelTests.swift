import Foundation
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Broken files: whatever passes loading and validation must plan and run, or say by a typed error why not.
struct HostileModelTests {
    /// Inputs of the shapes that the model declares, open axes 2 long.
    private func inputs(_ plan: ExecutionPlan, _ model: Model) throws -> [String: Tensor] {
        var inputs: [String: Tensor] = [:]
        for input in model.graph.requiredInputs where plan.inputNames.contains(input.name) {
            let dimensions = (input.dimensions ?? []).map { dimension in
                guard case .fixed(let length) = dimension else { return 2 }
                return min(length, 64)
            }
            let shape = try Shape(checking: dimensions)
            guard shape.elementCount < 1 << 20 else { continue }
            inputs[input.name] =
                switch input.elementType {
                case .int64: Tensor(repeating: Int64(1), shape: shape)
                default: Tensor(repeating: Float(1), shape: shape)
                }
        }
        return inputs
    }

    private func attempt(_ bytes: Data) -> Bool {
        do {
            let model = try Model(serialized: bytes)
            try model.validate()
            let plan = try ExecutionPlan(model)
            _ = try plan.run(inputs(plan, model))
            return true
        } catch {
            #expect(
                error is ModelError || error is PlanError || error is ExecutionError || error is ShapeError
            )
            #expect(!"\(error)".isEmpty)
            return false
        }
    }

    @Test(arguments: [
        "vowels-cnn/inference", "vowels-bnlstm/inference", "nested-scan/inference", "nested-scan/nested-scan",
        "vowels-plain-bn/eval-dynamo-unoptimized", "vowels-plain-bn/train-legacy",
    ])
    func `flipped bytes give typed errors or answers`(_ name: String) throws {
        let original = try Data(contentsOf: Fixtures.reference("models/\(name).onnx"))
        var random = SplitMix(seed: 7)
        // Weights make most of a large file; nodes and attributes stand before them.
        let interesting = min(original.count, 12_000)
        for _ in 0..<250 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: 0..<interesting, using: &random)
                bytes[bytes.startIndex + index] = UInt8.random(in: 0...255, using: &random)
            }
            _ = attempt(bytes)
        }
    }

    @Test func `an untouched model runs`() throws {
        #expect(attempt(try Data(contentsOf: Fixtures.reference("models/nested-scan/inference.onnx"))))
    }
}
