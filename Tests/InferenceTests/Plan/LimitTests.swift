import ONNXGraph
import TensorCore
import Testing

@testable import Inference

/// Each limit of a model holds on both sides: what just fits runs, one more is an error that names the limit.
struct LimitTests {
    private func value(_ name: String, _ type: ElementType = .float32) -> ValueInfo {
        ValueInfo(name, elementType: type, dimensions: nil)
    }

    private func model(_ nodes: [Node], initializers: [Initializer] = [], limits: ModelLimits) -> Model {
        let graph = Graph(
            name: "test",
            nodes: nodes,
            initializers: initializers,
            inputs: [value("x")],
            outputs: [value("y")]
        )
        return Model(graph: graph, opsetImports: ["": 17], limits: limits)
    }

    /// Validates, plans and runs on a vector of three.
    @discardableResult
    private func run(_ model: Model) throws -> Tensor {
        try model.validate()
        return try ExecutionPlan(model).run(["x": Tensor([1, 2, 3] as [Float], shape: [3])])[0]
    }

    /// What broke in the node of a run.
    private func fault(_ model: Model) -> OperatorError? {
        do {
            try run(model)
            return nil
        } catch {
            guard case .node(_, _, let reason)? = error as? ExecutionError else { return nil }
            return reason
        }
    }

    // MARK: Structure

    private func chain(_ count: Int, limits: ModelLimits) -> Model {
        let names = ["x"] + (1..<count).map { "v\($0)" } + ["y"]
        return model(
            (0..<count).map { Node("Neg", inputs: [names[$0]], outputs: [names[$0 + 1]]) },
            limits: limits
        )
    }

    @Test func `as many nodes as the limit run, one more is refused`() throws {
        try run(chain(5, limits: ModelLimits(nodes: 5)))
        #expect(throws: ModelError.tooManyNodes(at: .root, limit: 5)) {
            try chain(6, limits: ModelLimits(nodes: 5)).validate()
        }
        // Whoever does not validate meets the same limit in the plan.
        #expect {
            _ = try ExecutionPlan(chain(6, limits: ModelLimits(nodes: 5)))
        } throws: { error in
            guard case .tooManyNodes(_, 5)? = error as? PlanError else { return false }
            return true
        }
    }

    @Test func `subgraphs as deep as the limit run, deeper ones are refused`() throws {
        for limit in [0, 1, 5] {
            try runNested(limit, limits: ModelLimits(nestingDepth: limit))
            let deeper = try nested(limit + 1, limits: ModelLimits(nestingDepth: limit))
            #expect {
                try deeper.validate()
            } throws: { error in
                guard case .nestedTooDeep(_, limit)? = error as? ModelError else { return false }
                return true
            }
        }
    }

    /// Nested loops of one iteration each, which have one subgraph a level.
    private func nested(_ depth: Int, limits: ModelLimits) throws -> Model {
        var node = Node("Neg", inputs: ["x"], outputs: [depth == 0 ? "y" : "v0"])
        for level in 0..<depth {
            let body = Graph(
                name: "body",
                nodes: [node, Node("Identity", inputs: ["true"], outputs: ["c_out\(level)"])],
                inputs: [value("i\(level)", .int64), value("c\(level)", .bool), value("s\(level)")],
                outputs: [value("c_out\(level)", .bool), value(node.outputs[0])]
            )
            node = Node(
                "Loop",
                inputs: ["one", "true", "x"],
                outputs: [level == depth - 1 ? "y" : "v\(level + 1)"],
                attributes: [Attribute("body", .graph(body))]
            )
        }
        return model(
            [node],
            initializers: [
                Initializer("one", Tensor(scalar: Int64(1))), Initializer("true", Tensor(scalar: true)),
            ],
            limits: limits
        )
    }

    private func runNested(_ depth: Int, limits: ModelLimits) throws {
        #expect(try run(nested(depth, limits: limits)).array(of: Float.self) == [-1, -2, -3])
    }

    @Test func `the deepest nesting that can be allowed is decoded, planned and run`() throws {
        let limits = ModelLimits(nestingDepth: 1000)
        #expect(limits.nestingDepth == ModelLimits.deepestNesting)
        let bytes = try nested(ModelLimits.deepestNesting, limits: limits).serialized()
        #expect(try run(Model(serialized: bytes, limits: limits)).array(of: Float.self) == [-1, -2, -3])
    }

    // MARK: Sizes

    @Test func `a tensor of the file may have as many bytes as the limit`() throws {
        let weights = Initializer("w", try Tensor([1, 2, 3] as [Float], shape: [3]))
        let node = Node("Add", inputs: ["x", "w"], outputs: ["y"])
        try run(model([node], initializers: [weights], limits: ModelLimits(tensorBytes: 12)))
        #expect(throws: ModelError.invalidTensor("w", .tooLarge(bytes: 12, limit: 11))) {
            try model([node], initializers: [weights], limits: ModelLimits(tensorBytes: 11)).validate()
        }
        let constant = Node(
            "Constant",
            inputs: [],
            outputs: ["w"],
            attributes: [Attribute("value", .tensor(weights))]
        )
        try run(model([constant, node], limits: ModelLimits(tensorBytes: 12)))
        #expect(throws: ModelError.invalidTensor("w", .tooLarge(bytes: 12, limit: 11))) {
            try model([constant, node], limits: ModelLimits(tensorBytes: 11)).validate()
        }
    }

    @Test func `a tensor of a run may have as many bytes as the limit`() throws {
        let node = Node(
            "Concat",
            inputs: ["x", "x"],
            outputs: ["y"],
            attributes: [Attribute("axis", .int(0))]
        )
        try run(model([node], limits: ModelLimits(tensorBytes: 24)))
        #expect(
            fault(model([node], limits: ModelLimits(tensorBytes: 23)))
                == .tensorTooLarge(shape: [6], limitBytes: 23)
        )
    }

    @Test func `a GRU is bounded by its answers, not by its gates`() throws {
        let (steps, gates, directions) = (32, 3, 2)
        let weights = try Tensor(
            [Float](repeating: 0.5, count: directions * gates),
            shape: [directions, gates, 1]
        )
        let input = try Tensor([Float](repeating: 1, count: steps), shape: [steps, 1, 1])
        let nodes = [
            Node("ReduceSum", inputs: ["x"], outputs: ["sum"]),
            Node("Add", inputs: ["s", "sum"], outputs: ["t"]),
            Node(
                "GRU",
                inputs: ["t", "w", "w"],
                outputs: ["y"],
                attributes: [
                    Attribute("direction", .string("bidirectional")), Attribute("hidden_size", .int(1)),
                ]
            ),
        ]
        let initializers = [Initializer("s", input), Initializer("w", weights)]
        let bytes = steps * directions * MemoryLayout<Float>.size
        try run(model(nodes, initializers: initializers, limits: ModelLimits(tensorBytes: bytes)))
        #expect(
            fault(model(nodes, initializers: initializers, limits: ModelLimits(tensorBytes: bytes - 1)))
                == .tensorTooLarge(shape: [steps, directions, 1, 1], limitBytes: bytes - 1)
        )
    }

    // MARK: Loops

    /// A loop of four iterations that hands `x` on, and `x` each time as a scan output; perhaps with a scan in it.
    private func loop(_ limits: ModelLimits, scanning: Bool = false) -> Model {
        let scanned = Node(
            "Scan",
            inputs: ["s"],
            outputs: ["t"],
            attributes: [
                Attribute("num_scan_inputs", .int(1)),
                Attribute(
                    "body",
                    .graph(
                        Graph(
                            name: "step",
                            nodes: [Node("Neg", inputs: ["e"], outputs: ["f"])],
                            inputs: [value("e")],
                            outputs: [value("f")]
                        )
                    )
                ),
            ]
        )
        let body = Graph(
            name: "body",
            nodes: [
                Node("Identity", inputs: ["true"], outputs: ["c_out"]),
                scanning ? scanned : Node("Neg", inputs: ["s"], outputs: ["t"]),
                Node("Identity", inputs: ["t"], outputs: ["each"]),
            ],
            inputs: [value("i", .int64), value("c", .bool), value("s")],
            outputs: [value("c_out", .bool), value("t"), value("each")]
        )
        let node = Node(
            "Loop",
            inputs: ["trips", "true", "x"],
            outputs: ["last", "y"],
            attributes: [Attribute("body", .graph(body))]
        )
        return model(
            [node],
            initializers: [
                Initializer("trips", Tensor(scalar: Int64(4))), Initializer("true", Tensor(scalar: true)),
            ],
            limits: limits
        )
    }

    @Test func `loops may make as many trips as the limit`() throws {
        try run(loop(ModelLimits(loopTrips: 4)))
        #expect(fault(loop(ModelLimits(loopTrips: 3))) == .tooManyIterations(limit: 3))
    }

    @Test func `the trips of all loops and scans of a run count together`() throws {
        // Four trips, and in each the three of a scan.
        try run(loop(ModelLimits(loopTrips: 16), scanning: true))
        #expect(fault(loop(ModelLimits(loopTrips: 15), scanning: true)) == .tooManyIterations(limit: 15))
        // Every run starts anew.
        let plan = try ExecutionPlan(loop(ModelLimits(loopTrips: 4)))
        let x = try Tensor([1] as [Float], shape: [1])
        for _ in 0..<3 { _ = try plan.run(["x": x]) }
    }

    @Test func `scan outputs may have as many bytes as the limit`() throws {
        try run(loop(ModelLimits(scanOutputBytes: 48)))
        #expect(fault(loop(ModelLimits(scanOutputBytes: 47))) == .scanOutputsTooLarge(limitBytes: 47))
        let body = Graph(
            name: "step",
            nodes: [Node("Neg", inputs: ["e"], outputs: ["f"])],
            inputs: [value("e")],
            outputs: [value("f")]
        )
        let scan = Node(
            "Scan",
            inputs: ["x"],
            outputs: ["y"],
            attributes: [Attribute("num_scan_inputs", .int(1)), Attribute("body", .graph(body))]
        )
        try run(model([scan], limits: ModelLimits(scanOutputBytes: 12)))
        #expect(
            fault(model([scan], limits: ModelLimits(scanOutputBytes: 11)))
                == .scanOutputsTooLarge(limitBytes: 11)
        )
    }
}
