import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Models as both exporters of PyTorch write them, against what onnxruntime answers.
struct ExportedModelTests {
    private static let tolerance = Tolerance.close(
        absolute: 1e-5,
        relative: 1e-5,
        because: "float32, one to three layers, sums in another order"
    )

    @Test func `both exporters are there, for nearly every kind of model`() {
        let files = ExportRecord.files
        #expect(Set(files.map(\.model)).count == 15)
        #expect(files.count { $0.exporter == "legacy" } == 13)
        #expect(files.count { $0.exporter == "dynamo" } == 10)
    }

    @Test(arguments: ExportRecord.files)
    func `an exported model gives onnxruntime's outputs for every length and batch size`(
        _ export: ExportRecord.Export
    ) throws {
        let plan = try ExecutionPlan(Model(contentsOf: #require(export.url)))
        var compared = 0
        for index in (export.cases ?? []).indices {
            guard let (inputs, outputs) = try export.tensors(of: index) else { continue }
            let given = inputs.filter { plan.inputNames.contains($0.key) }
            for (name, output) in zip(plan.outputNames, try plan.run(given)) {
                let expected = try #require(outputs[name])
                #expect(Self.tolerance.firstDifference(output, expected) == nil, "case \(index)")
                compared += 1
            }
        }
        #expect(compared > 0)
    }

    @Test(arguments: ExportRecord.files)
    func `where onnxruntime fails for a length, so does the plan`(_ export: ExportRecord.Export) throws {
        let plan = try ExecutionPlan(Model(contentsOf: #require(export.url)))
        for (index, one) in (export.cases ?? []).enumerated() where one.onnxruntime == "fails" {
            let inputs = try #require(try export.inputs(lengths: one.lengths))
            #expect(throws: ExecutionError.self, "case \(index)") {
                try plan.run(inputs.filter { plan.inputNames.contains($0.key) })
            }
        }
    }

    @Test(arguments: ExportRecord.files, Batching.allCases)
    func `an exported model is served as it answers alone`(
        _ export: ExportRecord.Export,
        _ batching: Batching
    ) throws {
        let model = try SequenceModel(model: Model(contentsOf: #require(export.url)))
        let executor = try model.executor(for: .outputs([]), batching: batching)
        for (index, one) in (export.cases ?? []).enumerated() where one.lengths.count == 1 {
            guard let (inputs, outputs) = try export.tensors(of: index) else { continue }
            let rows = try #require(inputs[model.signature.sequence.name]).element(at: 0)
            let answer = try executor.run(SequenceBatch(rows: rows, lengths: one.lengths))[0]
            let expected = try #require(outputs[answer.name])
            let wanted = answer.lengths == nil ? expected : expected.element(at: 0)
            #expect(Self.tolerance.firstDifference(answer.rows, wanted) == nil, "case \(index)")
        }
    }
}

extension ExportRecord.Export {
    /// Zeros in the shape of some sequences, for a model whose inputs are those of a case that succeeds.
    func inputs(lengths: [Int]) throws -> [String: Tensor]? {
        for index in (cases ?? []).indices {
            guard let inputs = try tensors(of: index)?.inputs, let known = cases?[index].lengths else {
                continue
            }
            var made: [String: Tensor] = [:]
            for (name, tensor) in inputs {
                var dimensions = tensor.shape.dimensions
                dimensions[0] = lengths.count
                for axis in dimensions.indices.dropFirst() where dimensions[axis] == known.max() {
                    dimensions[axis] = lengths.max() ?? 0
                }
                let shape = try Shape(checking: dimensions)
                made[name] =
                    tensor.elementType == .int64
                    ? Tensor(repeating: Int64(0), shape: shape) : Tensor(repeating: Float(0), shape: shape)
            }
            return made
        }
        return nil
    }
}
