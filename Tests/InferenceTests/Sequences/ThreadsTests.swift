import Foundation
import Kernels
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// A run that is shared between threads gives the bits of one thread.
struct ThreadsTests {
    private static let teams = [2, 3, 8]
    private static let batches = [[1200], [257, 3], [300, 200, 100, 1, 512, 7, 600, 3], Array(1...40)]

    private func check(_ executor: any SequenceExecutor, _ batch: SequenceBatch, _ place: String) throws {
        let alone = try executor.run(batch)
        for team in Self.teams {
            let threads = SpareThreads(team - 1, grain: 4096)
            let together = try SpareThreads.$current.withValue(threads) { try executor.run(batch) }
            #expect(together == alone, "\(place) \(batch.lengths) on \(team) threads")
        }
    }

    private static let models = [
        "vowels-cnn/inference", "peptide-bytenet/inference", "vowels-bnlstm/inference",
        "vowels-plain-bn/eval-dynamo",
    ]

    @Test(arguments: models, Batching.allCases)
    func `models of the fixtures have the same bits on any number of threads`(
        _ name: String,
        _ batching: Batching
    ) throws {
        let file = Fixtures.reference("models/\(name).onnx")
        let model = try SequenceModel(model: Model(contentsOf: file))
        let request = OutputRequest.outputs(model.signature.outputs.map(\.name))
        let executor = try model.executor(for: request, batching: batching)
        for lengths in Self.batches {
            try check(executor, try RandomBatch.of(model, lengths), name)
        }
    }

    @Test(arguments: 0..<10)
    func `random models have the same bits on any number of threads`(_ part: Int) throws {
        for index in 0..<15 {
            let seed = UInt64(part * 1000 + index)
            var graph = RandomGraph(seed: seed)
            let model = try graph.model(steps: 4 + index)
            let request = OutputRequest.outputs(model.signature.outputs.map(\.name))
            let executor = try model.executor(for: request, batching: .ragged)
            for lengths in [[130], [64, 5, 65]] {
                try check(executor, graph.batch(lengths), "seed \(seed)")
            }
        }
    }

    @Test func `the first sequence that cannot be run is the one that is named`() throws {
        let file = Fixtures.reference("models/vowels-cnn/inference.onnx")
        let model = try SequenceModel(model: Model(contentsOf: file))
        let executor = try model.executor(for: .outputs(["predictions"]), batching: .ragged)
        let full = try RandomBatch.of(model, [50, 60, 70])
        let batch = try SequenceBatch(rows: full.rows, lengths: [50, 60, 0, 30, 0, 40])
        let threads = SpareThreads(3, grain: 1)
        #expect(throws: ExecutionError.emptySequence(index: 2)) {
            try SpareThreads.$current.withValue(threads) { _ = try executor.run(batch) }
        }
    }
}
