import Foundation
import Inference
import ONNXGraph
import TestSupport
import Testing

/// Models that somebody broke: looking at them gives a summary, and never takes the process down.
@Suite struct HostileSummaryTests {
    @Test(arguments: [
        "vowels-bnlstm/train", "nested-scan/inference", "vowels-plain-bn/eval-dynamo-unoptimized",
    ])
    func `random changes never trap`(name: String) throws {
        let original = try Data(contentsOf: Fixtures.reference("models/\(name).onnx"))
        // Only the bytes around names and shapes: the numbers are of no interest here.
        let front = min(6000, original.count)
        var state: UInt64 = 7
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var summaries = 0
        for _ in 0..<300 {
            var bytes = original
            for _ in 0...random(3) { bytes[random(front)] ^= 1 << UInt8(random(8)) }
            // Whether the model is valid or not does not matter.
            guard let model = try? Model(serialized: bytes) else { continue }
            _ = ModelSummary(of: model, digest: "")
            summaries += 1
        }
        #expect(summaries > 30)
    }

    @Test func `absurd numbers in a model.json are refused`() throws {
        let model = try Model(contentsOf: Fixtures.reference("models/vowels-cnn/inference.onnx"))
        for json in [
            #"{"signature": {"outputs": [{"name": "predictions", "time_axis": -1}]}}"#,
            #"{"signature": {"outputs": [{"name": "predictions", "time_axis": 9223372036854775807}]}}"#,
            #"{"pad_id": 99999999999999999999}"#,
            String(repeating: "[", count: 100_000),
        ] {
            #expect(throws: SignatureError.self) {
                try Signature(inferring: model, document: Data(json.utf8))
            }
        }
    }
}
