import Foundation
import Inference
import TestSupport
import Testing

@testable import ONNXGraph

/// ONNX's cases with flipped bytes: attributes, shapes and names nobody would write.
struct HostileCaseTests {
    @Test func `a broken case gives an answer or a typed error`() throws {
        var random = SplitMix(seed: 11)
        for item in try ConformanceCase.all() {
            let file = item.folder.appendingPathComponent("model.onnx")
            let original = try Data(contentsOf: file)
            // The expanded cases are long, and their operators are those of the others.
            guard original.count < 2000 else { continue }
            for _ in 0..<4 {
                var bytes = original
                for _ in 0..<Int.random(in: 1...2, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                        in: 0...255,
                        using: &random
                    )
                }
                guard let model = try? Model(serialized: bytes) else { continue }
                _ = item.failure(of: model)
            }
        }
    }
}
