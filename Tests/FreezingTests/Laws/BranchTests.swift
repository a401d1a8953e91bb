import Freezing
import Inference
import ONNXGraph
import Statistics
import TensorCore
import TestSupport
import Testing

struct BranchTests {
    private let options = FreezeOptions(estimator: .meanOfBatches)

    /// An If that normalizes x, or doubles it.
    private func branches(of x: String, to y: String, when condition: String) -> Node {
        let then = Graph(
            name: "then",
            nodes: Samples.normalization(of: x, to: "normalized", label: "bn"),
            outputs: [ValueInfo("normalized", elementType: .float32, dimensions: nil)]
        )
        let otherwise = Graph(
            name: "else",
            nodes: [Node("Add", inputs: [x, x], outputs: ["doubled"])],
            outputs: [ValueInfo("doubled", elementType: .float32, dimensions: nil)]
        )
        return Node(
            "If",
            name: "choice",
            inputs: [condition],
            outputs: [y],
            attributes: [Attribute("then_branch", .graph(then)), Attribute("else_branch", .graph(otherwise))]
        )
    }

    /// Takes the branch where the sum of x is positive.
    private func model() throws -> Model {
        let sum = Node(
            "ReduceSum",
            inputs: ["x"],
            outputs: ["sum"],
            attributes: [Attribute("keepdims", .int(0))]
        )
        let nodes = [
            sum, Node("Greater", inputs: ["sum", "nought"], outputs: ["condition"]),
            branches(of: "x", to: "y", when: "condition"),
        ]
        return try Samples.model(
            nodes,
            inputs: [("x", Samples.matrix)],
            outputs: ["y"],
            constants: [Initializer("nought", Tensor(scalar: Float(0)))]
        )
    }

    private func batch(_ numbers: [Float]) throws -> TrainingBatch {
        let x = try Tensor(numbers, shape: Shape(checking: [numbers.count / 2, 2]))
        return TrainingBatch(inputs: ["x": x], origin: "batch")
    }

    @Test func `only batches that take a branch count`() throws {
        let batches = try [batch([1, 2, 3, 4]), batch([-1, -2, -3, -4]), batch([3, 0, 5, 2])]
        let frozen = try Samples.freeze(try model(), batches, options)
        #expect(frozen.statistics[0].coverage.doubles == [2])
        #expect(try #require(frozen.statistics[0].mean).doubles == [3, 2])
        let answer = try ExecutionPlan(frozen.model).run(try batch([4, 3]).inputs)[0]
        #expect(answer.relativeDifference(to: try Tensor([Float(1), 1], shape: [1, 2])) < 1e-4)
    }

    @Test func `a branch that no batch takes cannot be frozen`() throws {
        #expect(throws: FreezeError.self) {
            try Samples.freeze(try model(), [batch([-1, -2, -3, -4])], options)
        }
    }

    @Test func `steps of a scan may take different branches`() throws {
        let sum = Node(
            "ReduceSum",
            inputs: ["z"],
            outputs: ["sum"],
            attributes: [Attribute("keepdims", .int(0))]
        )
        let body = Graph(
            name: "body",
            nodes: [
                Node("Add", inputs: ["x_t", "h"], outputs: ["z"]), sum,
                Node("Greater", inputs: ["sum", "none"], outputs: ["condition"]),
                branches(of: "z", to: "each", when: "condition"),
                Node("Mul", inputs: ["each", "none"], outputs: ["h_next"]),
            ],
            inputs: [
                ValueInfo("h", elementType: .float32, dimensions: Samples.matrix),
                ValueInfo("x_t", elementType: .float32, dimensions: Samples.matrix),
            ],
            outputs: [
                ValueInfo("h_next", elementType: .float32, dimensions: Samples.matrix),
                ValueInfo("each", elementType: .float32, dimensions: Samples.matrix),
            ]
        )
        var graph = try Samples.scanned().graph
        graph.nodes =
            Array(graph.nodes.prefix(2)) + [
                Samples.scan("loop", over: "x", state: "zeros", to: ["last", "all"], body: body)
            ]
        let model = Model(graph: graph, opsetImports: ["": 17])
        try model.validate()
        func batch(_ steps: [[Float]]) throws -> TrainingBatch {
            let x = try Tensor(Array(steps.joined()), shape: Shape(checking: [1, steps.count, 2]))
            return TrainingBatch(inputs: ["x": x], origin: "batch")
        }
        let batches = try [
            batch([[1, 2], [-1, -2], [5, 6]]), batch([[3, 4], [7, 8]]), batch([[-1, -4], [-7, -8]]),
        ]
        let frozen = try Samples.freeze(
            model,
            batches,
            FreezeOptions(estimator: .meanOfBatches, tail: .hold)
        )
        #expect(frozen.statistics[0].coverage.doubles == [2, 1, 1])
        #expect(try #require(frozen.statistics[0].mean).doubles == [2, 3, 7, 8, 5, 6])
        #expect(frozen.proofs.prefix(3).allSatisfy { $0.isHeld })
    }
}
