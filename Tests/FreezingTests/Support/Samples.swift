import Freezing
import ONNXGraph
import Statistics
import TensorCore
import Testing

/// Small training graphs made in code, opset 17.
enum Samples {
    /// The nodes of a normalization over the batch: `y = (x - mean) / sqrt(variance + 1e-5)`.
    static func normalization(
        of x: String,
        to y: String,
        label: String? = nil,
        prefix: String = ""
    ) -> [Node] {
        func name(_ part: String) -> String { "\(prefix)\(y)_\(part)" }
        var mean = reduceMean(x, to: name("mean"))
        var variance = reduceMean(name("square"), to: name("var"))
        if let label {
            mean.metadata["bn_statistic"] = "\(label).mean"
            variance.metadata["bn_statistic"] = "\(label).var"
        }
        return [
            mean,
            Node("Sub", inputs: [x, name("mean")], outputs: [name("difference")]),
            Node("Mul", inputs: [name("difference"), name("difference")], outputs: [name("square")]),
            variance,
            Node("Add", inputs: [name("var"), "epsilon"], outputs: [name("radicand")]),
            Node("Sqrt", inputs: [name("radicand")], outputs: [name("deviation")]),
            Node("Div", inputs: [name("difference"), name("deviation")], outputs: [y]),
        ]
    }

    static func reduceMean(_ x: String, to y: String, axes: [Int64] = [0]) -> Node {
        Node(
            "ReduceMean",
            name: "node_\(y)",
            inputs: [x],
            outputs: [y],
            attributes: [Attribute("axes", .ints(axes)), Attribute("keepdims", .int(0))]
        )
    }

    static func model(
        _ nodes: [Node],
        inputs: [(String, [Dimension])],
        outputs: [String],
        constants: [Initializer] = []
    ) throws -> Model {
        let graph = Graph(
            name: "sample",
            nodes: nodes,
            initializers: [Initializer("epsilon", Tensor(scalar: Float(1e-5)))] + constants,
            inputs: inputs.map { ValueInfo($0.0, elementType: .float32, dimensions: $0.1) },
            outputs: outputs.map { ValueInfo($0, elementType: .float32, dimensions: nil) }
        )
        let model = Model(graph: graph, irVersion: 10, opsetImports: ["": 17])
        try model.validate()
        return model
    }

    /// `[B, C]` normalized over the batch.
    static func plain(label: String? = "bn", outputs: [String] = ["y"]) throws -> Model {
        try model(normalization(of: "x", to: "y", label: label), inputs: [("x", matrix)], outputs: outputs)
    }

    static let matrix: [Dimension] = [.symbol("batch"), .fixed(2)]
    static let steps: [Dimension] = [.symbol("batch"), .symbol("time"), .fixed(2)]

    /// A body that adds the state to a step of x, normalizes over the batch, and puts the result out.
    static func body(label: String? = "bn", prefix: String = "") -> Graph {
        Graph(
            name: "body",
            nodes: [Node("Add", inputs: ["\(prefix)x_t", "\(prefix)h"], outputs: ["\(prefix)z"])]
                + normalization(of: "\(prefix)z", to: "h_next", label: label, prefix: prefix)
                .map { node in
                    var node = node
                    node.outputs = node.outputs.map { $0 == "h_next" ? "\(prefix)h_next" : $0 }
                    return node
                }
                + [Node("Identity", inputs: ["\(prefix)h_next"], outputs: ["\(prefix)each"])],
            inputs: [
                ValueInfo("\(prefix)h", elementType: .float32, dimensions: matrix),
                ValueInfo("\(prefix)x_t", elementType: .float32, dimensions: matrix),
            ],
            outputs: [
                ValueInfo("\(prefix)h_next", elementType: .float32, dimensions: matrix),
                ValueInfo("\(prefix)each", elementType: .float32, dimensions: matrix),
            ]
        )
    }

    /// A Scan along axis 1 of a value.
    static func scan(
        _ name: String,
        over x: String,
        state: String = "zero",
        to outputs: [String],
        body: Graph,
        isReversed: Bool = false
    ) -> Node {
        var attributes = [
            Attribute("body", .graph(body)), Attribute("num_scan_inputs", .int(1)),
            Attribute("scan_input_axes", .ints([1])),
        ]
        if isReversed {
            attributes.append(Attribute("scan_input_directions", .ints([1])))
            attributes.append(Attribute("scan_output_directions", .ints([1])))
        }
        return Node("Scan", name: name, inputs: [state, x], outputs: outputs, attributes: attributes)
    }

    static let zero = Initializer("zero", Tensor(repeating: Float(0), shape: [1, 2]))

    /// A Scan over x `[B, T, 2]`; its outputs are the last state and the states of all steps.
    static func scanned(isReversed: Bool = false, label: String? = "bn") throws -> Model {
        // The state broadcasts from one row to the batch by the first addition.
        let first = Node("Mul", inputs: ["row", "none"], outputs: ["zeros"])
        let row = reduceMean("x", to: "row", axes: [1])
        return try model(
            [row, first]
                + [
                    scan(
                        "loop",
                        over: "x",
                        state: "zeros",
                        to: ["last", "all"],
                        body: body(label: label),
                        isReversed: isReversed
                    )
                ],
            inputs: [("x", steps)],
            outputs: ["last", "all"],
            constants: [Initializer("none", Tensor(scalar: Float(0)))]
        )
    }

    /// A batch of numbers that depend on a seed only.
    static func batch(_ dimensions: [Int], seed: Int, name: String = "x") throws -> TrainingBatch {
        var state = UInt64(bitPattern: Int64(seed)) &* 0x9E37_79B9_7F4A_7C15 &+ 1
        let shape = try Shape(checking: dimensions)
        let numbers = (0..<shape.elementCount).map { _ -> Float in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 23) - 1
        }
        return TrainingBatch(inputs: [name: try Tensor(numbers, shape: shape)], origin: "batch \(seed)")
    }

    /// The state and the frozen model after some batches.
    static func freeze(
        _ model: Model,
        _ batches: [TrainingBatch],
        _ options: FreezeOptions = FreezeOptions()
    ) throws -> FrozenModel {
        let plan = try FreezePlan(model, options: options)
        var estimator = try StatisticEstimator(plan)
        for batch in batches { try estimator.add(batch) }
        return try plan.freeze(
            estimator.state,
            checking: batches,
            source: Provenance.Source(toolVersion: "test")
        )
    }
}
