import Foundation
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// The reference models against the outputs recorded for them in Double.
struct ReferenceModelTests {
    private static let tolerance = Tolerance.close(
        absolute: 1e-5,
        relative: 1e-5,
        because: "float32 against Double, three to five layers"
    )

    private func report(_ what: String, _ actual: Tensor, _ expected: Tensor) {
        print("\(what): largest difference \(actual.maximumDifference(to: expected))")
        #expect(Self.tolerance.firstDifference(actual, expected) == nil)
    }

    private func plan(_ path: String, outputs: [String]? = nil) throws -> ExecutionPlan {
        try ExecutionPlan(Model(contentsOf: Fixtures.reference("models/\(path)")), outputs: outputs)
    }

    @Test(arguments: ["vowels-cnn", "vowels-bnlstm", "peptide-bytenet"])
    func `a padded batch of 64 gives the recorded logits`(_ name: String) throws {
        let tensors = try SafeTensors.read(Fixtures.reference("expected/inference/\(name).safetensors"))
        let plan = try plan("\(name)/inference.onnx")
        let inputs = tensors.filter { plan.inputNames.contains($0.key) }
        for (name, output) in zip(plan.outputNames, try plan.run(inputs)) {
            report(name, output, try #require(tensors[name]))
        }
    }

    @Test(arguments: [
        "eval-legacy", "eval-legacy-unfolded", "eval-dynamo", "eval-dynamo-unoptimized",
    ])
    func `exported models give the recorded logits`(_ name: String) throws {
        let tensors = try SafeTensors.read(
            Fixtures.reference("expected/inference/vowels-plain-bn.safetensors")
        )
        let plan = try plan("vowels-plain-bn/\(name).onnx")
        let inputs = tensors.filter { plan.inputNames.contains($0.key) }
        report(name, try plan.run(inputs)[0], try #require(tensors["predictions"]))
    }

    @Test func `a model without a mask gives the recorded logits for each sequence alone`() throws {
        let tensors = try SafeTensors.read(
            Fixtures.reference("expected/inference/vowels-plain-bn.safetensors")
        )
        let model = try SequenceModel(
            model: Model(
                contentsOf: Fixtures.reference("models/vowels-plain-bn/eval-legacy-nomask.onnx")
            )
        )
        let batch = try vowels()
        let output = try model.executor(for: .outputs([]), batching: .ragged).run(batch)[0]
        report("nomask, all", output.rows, try #require(tensors["all.predictions"]))
    }

    @Test func `training mode gives the recorded logits and running statistics`() throws {
        let tensors = try SafeTensors.read(
            Fixtures.reference("expected/inference/vowels-plain-bn.safetensors")
        )
        let statistics = [("mean", 1), ("var", 2)].flatMap { name, output in
            (0..<3).map { ("\(name).\($0)", "/bns.\($0)/BatchNormalization_output_\(output)") }
        }
        let plan = try plan(
            "vowels-plain-bn/train-legacy.onnx",
            outputs: ["predictions"] + statistics.map { $0.1 }
        )
        let inputs = ["x": try #require(tensors["train.x"]), "mask": try #require(tensors["train.mask"])]
        let outputs = try plan.run(inputs)
        report("train", outputs[0], try #require(tensors["train.predictions"]))
        for (statistic, output) in zip(statistics, outputs.dropFirst()) {
            report(statistic.0, output, try #require(tensors["train.running_onnx.\(statistic.0)"]))
        }
    }

    @Test(arguments: ["within", "beyond"])
    func `nested scans give the recorded logits`(_ part: String) throws {
        let tensors = try SafeTensors.read(Fixtures.reference("expected/population/nested-scan.safetensors"))
        let plan = try plan("nested-scan/inference.onnx", outputs: ["predictions"])
        let inputs = [
            "x": try #require(tensors["infer.\(part).x"]),
            "mask": try #require(tensors["infer.\(part).mask"]),
        ]
        report(
            "nested-scan \(part)",
            try plan.run(inputs)[0],
            try #require(tensors["infer.\(part).predictions"])
        )
    }

    @Test func `sequences longer than all seen in training give the recorded logits`() throws {
        let tensors = try SafeTensors.read(Fixtures.reference("expected/inference/vowels-bnlstm.safetensors"))
        let plan = try plan("vowels-bnlstm/inference.onnx")
        let inputs = ["x": try #require(tensors["beyond.x"]), "mask": try #require(tensors["beyond.mask"])]
        report("beyond", try plan.run(inputs)[0], try #require(tensors["beyond.predictions"]))
    }

    private func vowels() throws -> SequenceBatch {
        try SequenceBatch.concatenating(
            DataSets.vowels("test").map { line in
                let rows = try line.rows()
                return try SequenceBatch(rows: rows, lengths: [rows.shape[0]])
            }
        )
    }

    private func peptides() throws -> SequenceBatch {
        try SequenceBatch.concatenating(
            DataSets.peptides("test").map { line in
                let rows = try line.rows()
                return try SequenceBatch(rows: rows, lengths: [rows.shape[0]])
            }
        )
    }

    @Test(arguments: ["vowels-cnn", "vowels-bnlstm", "peptide-bytenet"], Batching.allCases)
    func `the whole test set gives the recorded logits`(_ name: String, _ batching: Batching) throws {
        let tensors = try SafeTensors.read(Fixtures.reference("expected/inference/\(name).safetensors"))
        let model = try SequenceModel(
            model: Model(contentsOf: Fixtures.reference("models/\(name)/inference.onnx"))
        )
        let batch = name == "peptide-bytenet" ? try peptides() : try vowels()
        let output = try model.executor(for: .outputs([]), batching: batching).run(batch)[0]
        report("\(name) \(batching), all", output.rows, try #require(tensors["all.predictions"]))
    }

    @Test func `proteins of 63 to 2554 residues give the recorded logits`() throws {
        let tensors = try SafeTensors.read(
            Fixtures.reference("expected/inference/peptide-bytenet.proteins.safetensors")
        )
        let expected = try #require(tensors["predictions"])
        let model = try SequenceModel(
            model: Model(contentsOf: Fixtures.reference("models/peptide-bytenet/inference.onnx"))
        )
        let executor = try model.executor(for: .outputs([]), batching: .ragged)
        let proteins = try DataSets.proteins()
        for index in stride(from: 0, to: proteins.count, by: 8) {
            let rows = try DataSets.tokens(proteins[index])
            let output = try executor.run(SequenceBatch(rows: rows, lengths: [rows.shape[0]]))[0]
            let part = expected.slice(index..<index + 1)
            #expect(Self.tolerance.firstDifference(output.rows, part) == nil)
        }
    }
}
