import Freezing
import Inference
import ONNXGraph
import TensorCore
import TestSupport
import Testing

/// Frozen graphs against the reference's own inference graphs.
struct FrozenModelTests {
    @Test(arguments: ["vowels-cnn", "peptide-bytenet", "vowels-bnlstm"])
    func `the frozen graph answers as the reference's`(_ name: String) throws {
        let data = try ReferenceData(name)
        let frozen = try data.frozen()
        #expect(frozen.proofs.allSatisfy { $0.isHeld }, "\(frozen.proofs)")
        for proof in frozen.proofs { print("\(name): \(proof)") }
        let expected = try SafeTensors.read(Fixtures.reference("expected/inference/\(name).safetensors"))
        let reference = try Model(contentsOf: Fixtures.reference("models/\(name)/inference.onnx"))
        let plan = try ExecutionPlan(frozen.model)
        let inputs = Dictionary(
            uniqueKeysWithValues: try plan.inputNames.map { ($0, try #require(expected[$0])) }
        )
        let answers = try plan.run(inputs)
        let index = try #require(plan.outputNames.firstIndex(of: "predictions"))
        let difference = answers[index].relativeDifference(to: try #require(expected["predictions"]))
        #expect(difference <= 1e-5)
        let theirs = try ExecutionPlan(reference).run(inputs)[index]
        #expect(answers[index].relativeDifference(to: theirs) <= 1e-5)
        print("\(name): frozen graph to expected predictions \(difference)")
        try expectSameNodes(frozen.model, reference)
    }

    @Test func `a Scan in a Scan answers within and beyond the steps seen`() throws {
        let data = try ReferenceData.nested()
        let frozen = try data.frozen()
        let plan = try ExecutionPlan(frozen.model)
        for part in ["within", "beyond"] {
            let inputs = try [
                "x": #require(data.expected["infer.\(part).x"]),
                "mask": #require(data.expected["infer.\(part).mask"]),
            ]
            let index = try #require(plan.outputNames.firstIndex(of: "predictions"))
            let answer = try plan.run(inputs)[index]
            let difference = answer.relativeDifference(
                to: try #require(data.expected["infer.\(part).predictions"])
            )
            #expect(difference <= 1e-5)
            print("nested-scan \(part): \(difference)")
        }
        for proof in frozen.proofs { print("nested-scan: \(proof)") }
    }

    @Test func `a frozen normalization stays one node`() throws {
        let data = try ReferenceData("vowels-plain-bn", graph: "train-legacy")
        let frozen = try data.frozen()
        for proof in frozen.proofs { print("train-legacy: \(proof)") }
        let nodes = frozen.model.graph.nodes.filter { $0.operatorType == "BatchNormalization" }
        #expect(nodes.count == 3)
        #expect(nodes.allSatisfy { $0.attribute("training_mode") == nil && $0.outputs.count == 1 })
        #expect(nodes[0].inputs[3] == "bns.0.mean.population")
        #expect(!frozen.model.graph.initializers.contains { $0.name == "bns.0.running_mean" })
        #expect(frozen.model.graph.nodes.count == data.model.graph.nodes.count)
        let sites = NormalizationSite.sites(in: frozen.model)
        #expect(sites.map(\.name) == ["bns.0", "bns.1", "bns.2"])
    }

    @Test(arguments: [("masked", Padding.exclude), ("padded", .include), ("valid", .observe)])
    func `frozen training mode answers every test sequence as the reference`(
        _ name: String,
        _ padding: Padding
    ) throws {
        let data = try ReferenceData("vowels-plain-bn", graph: "train-legacy")
        let frozen = try data.frozen(FreezeOptions(estimator: .pooled, padding: padding))
        let served = try SequenceModel(model: frozen.model)
        let rows = try DataSets.vowels("test").map { line in
            let rows = try line.rows()
            return try SequenceBatch(rows: rows, lengths: [rows.shape[0]])
        }
        let executor = try served.executor(for: .outputs(["predictions"]), batching: .ragged)
        let answers = try executor.run(try SequenceBatch.concatenating(rows))[0].rows
        let expected = try #require(data.expected["\(name).pooled.all.predictions"])
        let difference = answers.relativeDifference(to: expected)
        #expect(difference <= 1e-5)
        print("train-legacy, \(name): all test sequences \(difference)")
    }

    /// The reference's graph counts its steps with one node more; otherwise the operators are the same.
    private func expectSameNodes(_ a: Model, _ b: Model) throws {
        var ours = operatorCounts(a.graph)
        var theirs = operatorCounts(b.graph)
        for type in ["Squeeze", "Gather", "Shape"] {
            ours[type] = nil
            theirs[type] = nil
        }
        #expect(ours == theirs)
    }

    private func operatorCounts(_ graph: Graph) -> [String: Int] {
        var counts: [String: Int] = [:]
        for node in graph.nodes {
            counts[node.operatorType, default: 0] += 1
            for subgraph in node.subgraphs {
                counts.merge(operatorCounts(subgraph.graph), uniquingKeysWith: +)
            }
        }
        return counts
    }
}
