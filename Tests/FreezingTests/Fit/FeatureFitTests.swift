import Foundation
import Freezing
import Inference
import ONNXGraph
import Statistics
import TensorCore
import TestSupport
import Testing

struct FeatureFitTests {
    private static func batch(_ sequences: [[[Float]]], channels: Int) throws -> SequenceBatch {
        let rows = sequences.joined()
        return try SequenceBatch(
            rows: Tensor(Array(rows.joined()), shape: Shape(checking: [rows.count, channels])),
            lengths: sequences.map(\.count)
        )
    }

    private static func random(_ seed: Int, sequences: Int = 12, channels: Int = 3) -> [[[Float]]] {
        var random = SplitMix(seed: seed)
        return (0..<sequences).map { _ in
            (0..<Int.random(in: 0...6, using: &random)).map { _ in
                (0..<channels).map { channel in
                    Float(channel) * 1e4 + Float.random(in: -1...1, using: &random) / Float(1 + 99 * channel)
                }
            }
        }
    }

    private static func fit(_ sequences: [[[Float]]], channels: Int = 3) throws -> FeatureFit {
        var fit = FeatureFit(channels: channels)
        try fit.add(batch(sequences, channels: channels))
        return fit
    }

    @Test func `mean and variance are those of two passes in double`() throws {
        let sequences = Self.random(1, sequences: 200)
        let moments = try Self.fit(sequences).moments()
        for channel in 0..<3 {
            let values = sequences.joined().map { Double($0[channel]) }
            let mean = values.reduce(0, +) / Double(values.count)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
            #expect(abs(moments.mean[channel] - mean) <= 1e-14 * max(1, abs(mean)))
            #expect(abs(moments.variance[channel] - variance) <= 1e-10 * variance)
        }
    }

    @Test(arguments: 0..<20) func `order and split of the sequences change no bit`(seed: Int) throws {
        var random = SplitMix(seed: seed)
        let sequences = Self.random(seed)
        let whole = try Self.fit(sequences)
        let shuffled = sequences.shuffled(using: &random)
        let cut = Int.random(in: 0...sequences.count, using: &random)
        var merged = try Self.fit(Array(shuffled[cut...]))
        try merged.merge(Self.fit(Array(shuffled[..<cut])))
        #expect(merged == whole)
        #expect(try merged.population() == whole.population())
        #expect(
            try merged.normalizerModel(toolVersion: "1").model.serialized()
                == whole.normalizerModel(toolVersion: "1").model.serialized()
        )
    }

    @Test func `the normalizer is served, and normalizes`() throws {
        let sequences = Self.random(2).filter { !$0.isEmpty }
        let fit = try Self.fit(sequences)
        let normalizer = try fit.normalizerModel(toolVersion: "0.1.0", data: ["a.jsonl"])
        #expect(normalizer.warnings.count == 1)
        #expect(normalizer.warnings.first?.hasPrefix("each of the features 1, 2 varies so little") == true)
        let model = try SequenceModel(model: Model(serialized: normalizer.model.serialized()))
        #expect(model.signature.sequence.kind == .features(layout: .channelsFirst, channels: 3))
        #expect(model.signature.mask == MaskInput(name: "mask", elementType: .float32, rank: 3))
        #expect(model.predictOutputs == ["normalized"])
        #expect(model.layers.map(\.name) == ["features"])
        let batch = try Self.batch(sequences, channels: 3)
        let moments = fit.moments()
        var answers: [[SequenceOutput]] = []
        for request in [OutputRequest.outputs([]), .layer(nil), .layer("features")] {
            for batching in Batching.allCases {
                answers.append(try model.executor(for: request, batching: batching).run(batch))
            }
        }
        for answer in answers {
            #expect(answer[0].rows == answers[0][0].rows)
            #expect(answer[0].lengths == batch.lengths)
        }
        let rows = answers[0][0].rows.array(of: Float.self)
        for (index, value) in sequences.joined().joined().enumerated() {
            let (mean, variance) = (moments.mean[index % 3], moments.variance[index % 3])
            // In channels 1 and 2 the rounding of the mean to float32 is what counts.
            let deviation = (variance + 1e-5).squareRoot()
            let expected = (Double(value) - mean) / deviation
            let rounding = abs(mean - Double(Float(mean))) / deviation
            #expect(abs(Double(rows[index]) - expected) <= rounding + 1e-4 * max(1, abs(expected)))
        }
    }

    @Test func `nothing is read at padding`() throws {
        let normalizer = try Self.fit(Self.random(3)).normalizerModel(toolVersion: "0.1.0")
        var input = Tensor(repeating: Float(1), shape: [2, 3, 2])
        input.withMutableElements(of: Float.self) { for index in [7, 9, 11] { $0[index] = .nan } }
        let outputs = try ExecutionPlan(normalizer.model).run([
            "features": input,
            "mask": Tensor([1, 1, 1, 0] as [Float], shape: [2, 1, 2]),
        ])
        let values = outputs[0].array(of: Float.self)
        #expect([7, 9, 11].allSatisfy { values[$0] == 0 })
        #expect([0, 1, 6, 8, 10].allSatisfy { values[$0].isFinite && values[$0] != 0 })
    }

    @Test func `statistics of real features are those of their rows`() throws {
        let lines = try DataSets.vowels("train")
        var fit = FeatureFit(channels: 12)
        for line in lines {
            let rows = try line.rows()
            try fit.add(SequenceBatch(rows: rows, lengths: [rows.shape[0]]))
        }
        let population = try fit.population()
        #expect(population.batches == 270)
        let rows = lines.flatMap(\.sequence)
        #expect(population.positions == Tensor(scalar: Double(rows.count)))
        let means = try #require(population.mean).doubles
        for channel in 0..<12 {
            let mean = rows.reduce(0) { $0 + Double($1[channel]) } / Double(rows.count)
            #expect(abs(means[channel] - mean) <= 1e-6)
        }
    }

    @Test func `a channel that never changes is kept, and named`() throws {
        let fit = try Self.fit([[[1, 5], [2, 5]], [[4, 5]]], channels: 2)
        let normalizer = try fit.normalizerModel(toolVersion: "0.1.0")
        #expect(normalizer.warnings.count == 1)
        #expect(normalizer.warnings[0].hasPrefix("feature 1 never changes"))
        #expect(normalizer.statistics.variance?.doubles[1] == 0)
        let output = try SequenceModel(model: normalizer.model)
            .executor(for: .layer(nil), batching: .ragged)
            .run(Self.batch([[[3, 5]]], channels: 2))
        #expect(output[0].rows.doubles[1] == 0)
    }

    @Test func `a channel whose mean float32 cannot hold is named`() throws {
        let rows: [[[Float]]] = [[[1e8, 0], [1e8 + 8, 1], [1e8, 2]]]
        #expect(try Self.fit(rows, channels: 2).normalizerModel(toolVersion: "1").warnings.count == 1)
    }

    @Test func `the model tells how it was made`() throws {
        let fit = try Self.fit(Self.random(4))
        let model = try fit.normalizerModel(toolVersion: "0.1.0", data: ["a.jsonl"]).model
        let text = try #require(model.metadata[FeatureFit.provenanceKey])
        let json = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(json["positions"] as? Int == fit.positions)
        #expect(json["sequences"] as? Int == 12)
        #expect(json["data_digest"] as? String == fit.data.description)
        #expect(json["data"] as? [String] == ["a.jsonl"])
        #expect(json["variance_divisor"] as? String == "biased")
    }

    @Test func `data that does not fit is refused and changes nothing`() throws {
        var fit = try Self.fit(Self.random(5))
        let before = fit
        #expect(throws: FitError.channelsDiffer(expected: 3, actual: 2)) {
            try fit.add(Self.batch([[[1, 2]]], channels: 2))
        }
        #expect(throws: FitError.notFinite(sequence: 2, position: 1, channel: 2)) {
            try fit.add(Self.batch([[[1, 2, 3]], [], [[1, 2, 3], [4, 5, .infinity]]], channels: 3))
        }
        #expect(throws: FitError.notFeatures(.int64)) {
            try fit.add(SequenceBatch(rows: Tensor([1, 2] as [Int64], shape: [2]), lengths: [2]))
        }
        #expect(throws: FitError.channelsDiffer(expected: 3, actual: 4)) {
            try fit.merge(FeatureFit(channels: 4))
        }
        #expect(fit == before)
    }

    @Test func `without data, or beyond float32, there is no model`() throws {
        #expect(throws: FitError.noPositions) {
            try FeatureFit(channels: 2).normalizerModel(toolVersion: "1")
        }
        let huge = Float.greatestFiniteMagnitude
        #expect(throws: FitError.outOfRange(channel: 1)) {
            try Self.fit([[[0, huge], [0, -huge]]], channels: 2).normalizerModel(toolVersion: "1")
        }
    }
}
