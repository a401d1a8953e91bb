import Kernels
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// An Add behind a product or a convolution, in its tile.
struct ResidualEpilogueTests {
    private typealias Pass = ResidualEpilogue

    /// Nodes with packed weights: `w` is [3, 3], `s` a scalar.
    private func graph(_ nodes: [Node], outputs: [String] = ["y"]) throws -> PlanGraph {
        var graph = try planGraph(
            nodes,
            ["w": Tensor([Float](repeating: 0.5, count: 9), shape: [3, 3]), "s": Tensor(scalar: Float(2))],
            inputs: [("x", .float32), ("v", .float32)],
            outputs: outputs
        )
        WeightPacking.run(on: &graph)
        return graph
    }

    private let product = Node("MatMul", inputs: ["x", "w"], outputs: ["t"])

    private func sum(_ inputs: [String], _ type: String = "Add") -> Node {
        Node(type, inputs: inputs, outputs: ["y"])
    }

    @Test func `an Add goes into the product before it, on either side, unless`() throws {
        #expect(reason(Pass.self, try graph([product, sum(["t", "v"])])) == nil)
        #expect(reason(Pass.self, try graph([product, sum(["v", "t"])])) == nil)
        #expect(reason(Pass.self, try graph([product, sum(["t", "x"])])) == nil)
        #expect(reason(Pass.self, try graph([product, sum(["t", "v"], "Sub")])) == .otherOperator)
        #expect(reason(Pass.self, try graph([product, sum(["t", "s"])])) == .otherOperator)
        #expect(reason(Pass.self, try graph([product, sum(["t", "t"])])) == .intermediateIsUsed)
        #expect(reason(Pass.self, try graph([sum(["x", "v"])])) == .otherOperator)
        let read = try graph([product, sum(["t", "v"])], outputs: ["y", "t"])
        #expect(reason(Pass.self, read) == .intermediateIsUsed)
        var twice = try graph([product, sum(["t", "v"])])
        twice.nodes[0].computation = try #require(twice.nodes[0].computation.addingResidual())
        #expect(reason(Pass.self, twice) == .otherOperator)
    }

    private func evaluate(_ computation: any Operator, _ inputs: [Tensor]) throws -> Tensor {
        var budget = RunBudget(.standard)
        let outputs = try NodeInputs.evaluate(computation, inputs, outputCount: 1, budget: &budget)
        guard case .one(let result) = outputs else { throw OperatorError.missingInput(0) }
        return result
    }

    private func numbers(_ count: Int) -> [Float] { (0..<count).map { Float($0 * 7 % 11) / 8 - 0.6 } }

    @Test func `a residual of any shape that can be broadcast is added as an Add would`() throws {
        let packed = try #require(try graph([product, sum(["t", "v"])]).nodes[0].computation as? MatMul)
        let adding = try #require(packed.addingResidual())
        let x = try Tensor(numbers(12), shape: [4, 3])
        let plain = try evaluate(packed, [x])
        let add = try graph([sum(["x", "v"])]).nodes[0].computation
        for shape: Shape in [[4, 3], [3], [1, 3], [4, 1], [], [1], [2, 4, 3], [1, 1, 1]] {
            let residual = try Tensor(numbers(shape.elementCount), shape: shape)
            let expected = try evaluate(add, [residual, plain])
            #expect(try evaluate(adding, [x, residual]) == expected, "\(shape)")
        }
        #expect(try evaluate(adding, [x, x]) == evaluate(add, [x, plain]))
        #expect(throws: OperatorError.self) {
            try evaluate(adding, [x, Tensor([Int64(1)], shape: [1])])
        }
        #expect(throws: OperatorError.self) { try evaluate(adding, [x, Tensor(numbers(5), shape: [5])]) }
    }

    @Test(arguments: ["peptide-bytenet/inference", "vowels-cnn/inference"])
    func `no bit of a model changes where the pass is left out`(_ name: String) throws {
        let file = try Model(contentsOf: Fixtures.reference("models/\(name).onnx"))
        func run(without disabled: Set<PassName>) throws -> (rows: [[Tensor]], nodes: Int) {
            let model = try SequenceModel(model: file, disabledPasses: disabled)
            let request = OutputRequest.outputs(model.signature.outputs.map(\.name))
            let executor = try #require(model.raggedExecutor(for: request).executor as? PackedExecutor)
            let rows = try [[1], [5, 64, 9], [300, 7, 512]].map { lengths in
                try #require(executor.plan.run(RandomBatch.of(model, lengths))).map(\.rows)
            }
            return (rows, executor.plan.program.computations.count)
        }
        let (with, without) = (try run(without: []), try run(without: [.residualEpilogue]))
        #expect(with.rows == without.rows)
        #expect(with.nodes < without.nodes)
    }
}
