import Freezing
import Inference
import ONNXGraph
import TensorCore
import TestSupport
import Testing

/// Frozen graphs whose statistics are estimated anew.
struct RecalibrationTests {
    @Test(arguments: ["vowels-cnn", "vowels-bnlstm"])
    func `on its own data a frozen graph keeps its statistics`(_ name: String) throws {
        let data = try ReferenceData(name)
        let reference = try Model(contentsOf: Fixtures.reference("models/\(name)/inference.onnx"))
        let plan = try FreezePlan(
            recalibrating: reference,
            signature: data.signature,
            options: FreezeOptions(estimator: .meanOfBatches)
        )
        #expect(plan.isRecalibration)
        var estimator = try StatisticEstimator(plan)
        for batch in data.batches { try estimator.add(batch) }
        let frozen = try plan.freeze(
            estimator.state,
            checking: Array(data.batches.prefix(1)),
            source: Provenance.Source(toolVersion: "test")
        )
        for (former, now) in zip(plan.formerStatistics, frozen.statistics) {
            let mean = try #require(now.mean).relativeDifference(to: try #require(former.mean))
            let variance = try #require(now.variance).relativeDifference(to: try #require(former.variance))
            #expect(max(mean, variance) < 1e-5, "\(former.label)")
            print("recalibrated \(former.label): \(mean) \(variance)")
        }
        #expect(frozen.model.graph.nodes == reference.graph.nodes)
        for proof in frozen.proofs { print("recalibrated \(name): \(proof)") }
    }

    @Test func `a graph without normalizations is refused`() throws {
        let folded = try Model(contentsOf: Fixtures.reference("models/vowels-plain-bn/eval-legacy.onnx"))
        #expect(throws: FreezeError.noNormalization) { try FreezePlan(recalibrating: folded) }
    }
}
