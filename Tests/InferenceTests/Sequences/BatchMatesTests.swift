import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// The promise: an answer is what the model gives for that sequence alone, to the bit.
struct BatchMatesTests {
    private static let models = ["vowels-cnn", "vowels-bnlstm", "peptide-bytenet"]

    /// Rows for a model of some length, always the same ones.
    private func rows(_ model: SequenceModel, length: Int, seed: UInt64) throws -> Tensor {
        var random = SplitMix(seed: seed)
        switch model.signature.sequence.kind {
        case .tokens:
            let values = (0..<length).map { _ in Int64.random(in: 0..<20, using: &random) }
            return try Tensor(values, shape: Shape(checking: [length]))
        case .features(_, let channels):
            let values = (0..<length * channels).map { _ in Float.random(in: -2...2, using: &random) }
            return try Tensor(values, shape: Shape(checking: [length, channels]))
        }
    }

    private func model(_ name: String) throws -> SequenceModel {
        try SequenceModel(model: Model(contentsOf: Fixtures.reference("models/\(name)/inference.onnx")))
    }

    private func batch(_ parts: [Tensor]) throws -> SequenceBatch {
        try .concatenating(parts.map { try SequenceBatch(rows: $0, lengths: [$0.shape[0]]) })
    }

    /// What one sequence of a batch got under each output.
    private func answers(_ outputs: [SequenceOutput], at index: Int) -> [Tensor] {
        outputs.map { output in
            guard let lengths = output.lengths else { return output.rows.slice(index..<index + 1) }
            let start = lengths[..<index].reduce(0, +)
            return output.rows.slice(start..<start + lengths[index])
        }
    }

    @Test(arguments: models, Batching.allCases)
    func `a sequence gets the same bits alone and beside others`(_ name: String, _ batching: Batching) throws
    {
        let model = try model(name)
        let executor = try model.executor(
            for: .outputs(model.signature.outputs.map(\.name)),
            batching: batching
        )
        let mine = try rows(model, length: 17, seed: 1)
        let alone = answers(try executor.run(batch([mine])), at: 0)
        let lengths = [1, 2, 31, 100, 7, 16, 18, 65]
        let others = try lengths.enumerated().map { try rows(model, length: $1, seed: UInt64(2 + $0)) }
        let first = try executor.run(batch([mine] + others))
        #expect(answers(first, at: 0) == alone)
        let last = try executor.run(batch(others + [mine]))
        #expect(answers(last, at: others.count) == alone)
        let many = try (0..<64).map {
            try $0 == 40 ? mine : rows(model, length: 1 + $0 * 3 % 50, seed: UInt64($0))
        }
        #expect(answers(try executor.run(batch(many)), at: 40) == alone)
    }

    @Test(arguments: Batching.allCases)
    func `a neighbour of 2554 residues changes no bit`(_ batching: Batching) throws {
        let model = try model("peptide-bytenet")
        let executor = try model.executor(for: .outputs(["predictions", "normalized"]), batching: batching)
        let mine = try rows(model, length: 31, seed: 1)
        let alone = answers(try executor.run(batch([mine])), at: 0)
        let together = try executor.run(batch([rows(model, length: 2554, seed: 2), mine]))
        #expect(answers(together, at: 1) == alone)
    }

    @Test(arguments: models)
    func `ragged and padded give the same bits`(_ name: String) throws {
        let model = try model(name)
        let batch = try batch([3, 20, 1, 9].map { try rows(model, length: $0, seed: UInt64($0)) })
        let request = OutputRequest.outputs(model.signature.outputs.map(\.name))
        let ragged = try model.executor(for: request, batching: .ragged).run(batch)
        let padded = try model.executor(for: request, batching: .padded).run(batch)
        #expect(ragged == padded)
    }

    @Test(arguments: ["vowels-cnn", "peptide-bytenet"], Batching.allCases)
    func `a normalization layer answers a row for each position`(_ name: String, _ batching: Batching) throws
    {
        let model = try model(name)
        let batch = try batch([3, 20, 1].map { try rows(model, length: $0, seed: UInt64($0)) })
        for site in model.sites where !site.isNested {
            let output = try model.executor(for: .layer(site.name), batching: batching).run(batch)[0]
            #expect(output.lengths == [3, 20, 1])
            #expect(output.rows.shape == Shape(arrayLiteral: 24, site.channels))
        }
    }

    @Test func `an unknown output or layer and an empty sequence are named`() throws {
        let model = try model("vowels-cnn")
        #expect(throws: PlanError.unknownOutput("nothing")) {
            _ = try model.executor(for: .outputs(["nothing"]), batching: .ragged)
        }
        #expect(throws: PlanError.unknownLayer("nothing")) {
            _ = try model.executor(for: .layer("nothing"), batching: .ragged)
        }
        let executor = try model.executor(for: .outputs([]), batching: .ragged)
        let empty = try SequenceBatch(rows: rows(model, length: 5, seed: 1), lengths: [5, 0])
        #expect(throws: ExecutionError.emptySequence(index: 1)) { _ = try executor.run(empty) }
    }
}
