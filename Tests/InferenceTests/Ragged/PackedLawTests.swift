import Foundation
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// The law of packed plans: the same bits as each sequence alone.
struct PackedLawTests {
    private static let batches = [[1], [2], [7], [3, 1, 2], [12, 13, 11, 1, 24, 25], [64, 5, 65, 130]]
    /// Batches that are run in parts.
    private static let large = [[300, 200, 100, 1, 512, 7, 600, 3], [513], [1, 512, 1]]

    /// Whether the batch ran packed; its outputs must be those of the sequences one by one.
    private func check(_ executor: PackedExecutor, _ batch: SequenceBatch, _ place: String) throws -> Bool {
        guard let packed = executor.plan.run(batch) else { return false }
        let single = try executor.single.run(batch)
        for (mine, theirs) in zip(packed, single) {
            #expect(mine.lengths == theirs.lengths, "\(place) \(mine.name)")
            #expect(mine.rows == theirs.rows, "\(place) \(mine.name)")
        }
        return true
    }

    @Test(arguments: 0..<40)
    func `random models give each sequence the bits it gets alone`(_ part: Int) throws {
        var packed = 0
        var runs = 0
        for index in 0..<15 {
            let seed = UInt64(part * 1000 + index)
            var graph = RandomGraph(seed: seed)
            let model = try graph.model(steps: 4 + index)
            let request = OutputRequest.outputs(model.signature.outputs.map(\.name))
            guard let executor = try model.raggedExecutor(for: request).executor as? PackedExecutor else {
                continue
            }
            for lengths in Self.batches {
                runs += 1
                if try check(executor, graph.batch(lengths), "seed \(seed) \(lengths)") { packed += 1 }
            }
        }
        // Very short sequences have no rows left behind some convolutions.
        #expect(runs > 60)
        #expect(packed * 10 > runs * 7)
    }

    private static let models = [
        "vowels-cnn/inference", "peptide-bytenet/inference", "vowels-bnlstm/inference",
        "vowels-plain-bn/eval-legacy", "vowels-plain-bn/eval-legacy-unfolded", "vowels-plain-bn/eval-dynamo",
        "vowels-plain-bn/eval-dynamo-unoptimized", "vowels-plain-bn/eval-legacy-nomask",
    ]

    @Test(arguments: models)
    func `every model of the fixtures gives each sequence the bits it gets alone`(_ name: String) throws {
        let model = try SequenceModel(model: Model(contentsOf: Fixtures.reference("models/\(name).onnx")))
        var requests = [OutputRequest.outputs(model.signature.outputs.map(\.name))]
        requests += model.layers.map { .layer($0.name) }
        for request in requests {
            guard let executor = try model.raggedExecutor(for: request).executor as? PackedExecutor else {
                continue
            }
            for lengths in Self.batches + Self.large {
                let batch = try RandomBatch.of(model, lengths)
                #expect(try check(executor, batch, "\(request) \(lengths)"))
            }
        }
    }

    @Test(arguments: ["vowels-cnn/inference", "peptide-bytenet/inference"])
    func `convolutional models are packed from end to end, without their mask`(_ name: String) throws {
        let model = try SequenceModel(model: Model(contentsOf: Fixtures.reference("models/\(name).onnx")))
        let report = try model.planReport(for: .outputs([]))
        #expect(report.fault == nil)
        for step in report.steps { #expect([.packed, .known].contains(step.way), "\(step.path)") }
    }

    @Test func `a loop of the model's own steps is packed`() throws {
        let model = try SequenceModel(
            model: Model(contentsOf: Fixtures.reference("models/vowels-bnlstm/inference.onnx"))
        )
        let report = try model.planReport(for: .outputs([]))
        #expect(report.fault == nil)
        let scan = try #require(report.steps.first { $0.operatorType == "Scan" })
        #expect(scan.way == .packed)
    }

    @Test func `the order of the sequences changes no bit`() throws {
        let model = try SequenceModel(
            model: Model(contentsOf: Fixtures.reference("models/peptide-bytenet/inference.onnx"))
        )
        let executor = try model.executor(for: .outputs(["predictions"]), batching: .ragged)
        let batch = try RandomBatch.of(model, [9, 1, 40, 17, 2])
        let forward = try executor.run(batch)[0].rows
        let parts = (0..<batch.count).reversed().map { batch.slice($0..<$0 + 1) }
        let backward = try executor.run(.concatenating(parts))[0].rows
        for index in 0..<batch.count {
            #expect(forward.element(at: index) == backward.element(at: batch.count - 1 - index))
        }
    }
}
