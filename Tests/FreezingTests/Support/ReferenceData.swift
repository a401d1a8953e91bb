import Foundation
import Freezing
import Inference
import ONNXGraph
import Statistics
import TensorCore
import TestSupport
import Testing

/// A training graph of the reference with the batches that its statistics are estimated over.
struct ReferenceData {
    let model: Model
    let signature: Signature?
    let batches: [TrainingBatch]
    let expected: [String: Tensor]

    private struct BatchFile: Decodable {
        let batches: [[String]]
    }

    /// A model over `japanese-vowels` or `peptides`.
    init(_ name: String, graph: String = "train") throws {
        model = try Model(contentsOf: Fixtures.reference("models/\(name)/\(graph).onnx"))
        try model.validate()
        let signature = try Signature(inferring: model)
        self.signature = signature
        expected = try SafeTensors.read(Fixtures.reference("expected/population/\(name).safetensors"))
        let file = Fixtures.reference("expected/population/\(name).batches.json")
        let ids = try JSONDecoder().decode(BatchFile.self, from: Data(contentsOf: file)).batches
        var rows: [String: Tensor] = [:]
        if name.hasPrefix("peptide") {
            for line in try DataSets.peptides("train") { rows[line.id] = try line.rows() }
        } else {
            for line in try DataSets.vowels("train") { rows[line.id] = try line.rows() }
        }
        let names = model.graph.requiredInputs.map(\.name)
        batches = try ids.enumerated().map { index, list in
            let sequences = try list.map {
                try SequenceBatch(rows: #require(rows[$0]), lengths: [#require(rows[$0]).shape[0]])
            }
            let batch = try SequenceBatch.concatenating(sequences)
            return TrainingBatch(
                inputs: try PaddedInputs(signature: signature, inputNames: names).inputs(batch),
                lengths: batch.lengths,
                origin: "batch \(index)"
            )
        }
    }

    /// The graph with a Scan in a Scan, whose batches are in the file of its statistics.
    static func nested() throws -> ReferenceData {
        let expected = try SafeTensors.read(Fixtures.reference("expected/population/nested-scan.safetensors"))
        var batches: [TrainingBatch] = []
        while let x = expected["batch\(batches.count).x"], let mask = expected["batch\(batches.count).mask"] {
            batches.append(TrainingBatch(inputs: ["x": x, "mask": mask], origin: "batch \(batches.count)"))
        }
        let model = try Model(contentsOf: Fixtures.reference("models/nested-scan/nested-scan.onnx"))
        return ReferenceData(model: model, signature: nil, batches: batches, expected: expected)
    }

    private init(model: Model, signature: Signature?, batches: [TrainingBatch], expected: [String: Tensor]) {
        self.model = model
        self.signature = signature
        self.batches = batches
        self.expected = expected
    }

    /// What the batches say of the sites.
    func state(_ options: FreezeOptions = FreezeOptions()) throws -> (
        plan: FreezePlan, state: PartialStatistics
    ) {
        let plan = try FreezePlan(model, signature: signature, options: options)
        var estimator = try StatisticEstimator(plan)
        for batch in batches { try estimator.add(batch) }
        return (plan, estimator.state)
    }

    /// The frozen graph.
    func frozen(_ options: FreezeOptions = FreezeOptions(estimator: .meanOfBatches)) throws -> FrozenModel {
        let (plan, state) = try state(options)
        return try plan.freeze(
            state,
            checking: Array(batches.prefix(2)),
            source: Provenance.Source(toolVersion: "test")
        )
    }
}

extension Tensor {
    /// The largest difference to another tensor's elements, relative to the largest magnitude in that.
    func relativeDifference(to other: Tensor, where isCompared: (Int) -> Bool = { _ in true }) -> Double {
        let (mine, theirs) = (doubles, other.doubles)
        guard mine.count == theirs.count else { return .infinity }
        var distance = 0.0
        for index in mine.indices where isCompared(index) {
            distance = max(distance, (mine[index] - theirs[index]).magnitude)
        }
        return distance / max(theirs.map(\.magnitude).max() ?? 0, .leastNormalMagnitude)
    }
}
