import ONNXGraph
import TestSupport
import Testing

@testable import Inference

/// Exports that hold the length they were traced with, and those that do not.
struct LengthProbeTests {
    private func limit(_ file: String) throws -> LengthLimit? {
        try LengthProbe(SequenceModel(model: Model(contentsOf: Fixtures.file(file)))).limit()
    }

    @Test(arguments: [
        ("transformer-legacy", "/encoder/layers.0/self_attn/Reshape_4"),
        ("conformer-legacy", "/attention/Reshape_4"), ("unrolled-loop-legacy", "/Gather_2"),
        ("unrolled-last-legacy", "/loop/Gather_2"),
    ])
    func `a traced length is found, with the node at which onnxruntime fails first`(
        _ name: String,
        _ node: String
    ) throws {
        let found = try #require(try limit("exports/\(name).onnx"))
        #expect(found.fixedLength == 17)
        guard case .node(let path, _, _) = found.cause else {
            Issue.record("\(name): \(found.cause)")
            return
        }
        #expect("\(path)" == node)
    }

    @Test func `the sentence names the length, the node and what to do`() throws {
        let found = try #require(try limit("exports/transformer-legacy.onnx"))
        #expect(found.description.hasPrefix("exported with length 17 fixed at node "))
        #expect(found.description.hasSuffix("only sequences of length 17 can be served"))
        #expect(found.hint?.contains("dynamic_shapes") == true)
        #expect(found.allows(17) && !found.allows(16) && !found.allows(18))
    }

    @Test(arguments: ExportRecord.files)
    func `a length is allowed if and only if onnxruntime gives PyTorch's answer for it`(
        _ export: ExportRecord.Export
    ) throws {
        let found = try limit("exports/\(#require(export.file))")
        for one in try #require(export.cases) {
            let longest = try #require(one.lengths.max())
            #expect(found?.allows(longest) ?? true == (one.onnxruntime == "agrees"))
        }
    }

    @Test(arguments: ["vowels-cnn", "vowels-bnlstm", "peptide-bytenet"])
    func `the reference models take every length`(_ name: String) throws {
        #expect(try limit("reference/models/\(name)/inference.onnx") == nil)
    }

    @Test func `a table of positions is an upper bound, in the words of the node that reads it`() throws {
        let model = try SequenceModel(
            model: Model(contentsOf: Fixtures.file("exports/transformer-dynamo.onnx"))
        )
        let found = try #require(try LengthProbe(model).limit())
        #expect(found.lengths == .range(1...64))
        #expect(found.description.hasPrefix("sequences longer than 64 fail at node "))
    }

    @Test func `a model without padding has a lower bound`() throws {
        let model = try SequenceModel(model: ProbeModels.convolution(kernel: 5))
        let found = try #require(try LengthProbe(model).limit())
        #expect(found.lengths == .range(5...Int.max))
        #expect(found.hint == nil)
    }

    @Test func `probe sequences are the same each time, and others with another seed`() throws {
        let model = try SequenceModel(model: Model(contentsOf: Fixtures.file("exports/textcnn-dynamo.onnx")))
        let probes = ProbeSequences(signature: model.signature)
        let batch = try #require(probes.batch(lengths: [3, 40]))
        #expect(probes.batch(lengths: [3, 40]) == batch)
        #expect(probes.batch(lengths: [3, 40], seed: 2) != batch)
        let changed = try #require(probes.changing(batch, after: 2, seed: 9))
        #expect(changed.count == 1 && changed.lengths == [3])
        #expect(changed.rows.slice(0..<2) == batch.rows.slice(0..<2))
        #expect(Set(batch.rows.array(of: Int64.self)).count == model.signature.tokenLimit)
    }
}
