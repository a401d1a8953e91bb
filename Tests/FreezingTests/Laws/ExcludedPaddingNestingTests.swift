import Freezing
import Inference
import ONNXGraph
import Statistics
import TensorCore
import TestSupport
import Testing

/// Loops over other axes than time, loops in loops, and what cannot be followed.
struct ExcludedPaddingNestingTests {
    private let near = Tolerance.close(absolute: 1e-4, relative: 1e-4, because: "float32 against Double")
    private let weights = Initializer(
        "weights",
        (try? Tensor([0.5, -1, 1.5, 2, -0.5, 1] as [Float], shape: Shape(checking: [3, 2, 1])))
            ?? Tensor(scalar: Float(0))
    )

    private func observed(_ model: Model, _ signature: Signature, _ batch: TrainingBatch) throws
        -> [PopulationStatistics]
    {
        var run = try StatisticEstimator(try FreezePlan(model, signature: signature))
        try run.add(batch)
        return try run.state.accumulators.map { try $0.estimate(.pooled, tail: .repeat) }
    }

    /// `h = norm(h * w)` for each of three layers, h `[B, 2, T]`.
    private let layer = [
        Node("Mul", inputs: ["h", "w"], outputs: ["z"]), LoopSamples.normalization(of: "z", to: "next"),
        Node("Identity", inputs: ["next"], outputs: ["each"]),
    ]

    @Test func `a Scan over layers has the statistics of its unrolled graph`() throws {
        let batch = try LoopSamples.batch([4, 1, 3, 2], seed: 1, isChannelsFirst: true, hasNaN: true)
        let body = LoopSamples.body(layer, from: ["h", "w"], to: ["next"])
        let scan = LoopSamples.scan(["x", "weights"], ["y"], body, axes: [0])
        let scanned = try LoopSamples.model(
            [scan],
            layout: LoopSamples.channelsFirst,
            outputs: ["y"],
            constants: [weights]
        )
        var nodes: [Node] = []
        var h = "x"
        for step in 0..<3 {
            nodes += [
                Node("Gather", inputs: ["weights", "index\(step)"], outputs: ["w\(step)"]),
                Node("Mul", inputs: [h, "w\(step)"], outputs: ["z\(step)"]),
                LoopSamples.normalization(of: "z\(step)", to: "y\(step)", label: "bn\(step)"),
            ]
            h = "y\(step)"
        }
        var unrolled = try LoopSamples.model([], layout: LoopSamples.channelsFirst, outputs: ["zeros"])
        unrolled.graph.nodes += nodes
        unrolled.graph.initializers +=
            [weights] + (0..<3).map { Initializer("index\($0)", Tensor(scalar: Int64($0))) }
        unrolled.graph.outputs = LoopSamples.values(["y2"])
        try unrolled.validate()
        let whole = try observed(scanned, LoopSamples.channelsFirst, batch)[0]
        let flat = try observed(unrolled, LoopSamples.channelsFirst, batch)
        #expect(whole.positions?.doubles == [10, 10, 10])
        for (step, statistics) in flat.enumerated() {
            let (mean, variance) = (try #require(whole.mean), try #require(whole.variance))
            #expect(near.firstDifference(mean.element(at: step), try #require(statistics.mean)) == nil)
            #expect(
                near.firstDifference(variance.element(at: step), try #require(statistics.variance)) == nil
            )
        }
    }

    @Test func `in a loop in a loop both rules hold`() throws {
        // At every position t a Scan over layers normalizes `x * w + h`, which has an axis of time itself.
        let lengths = [4, 1, 3]
        let batch = try LoopSamples.batch(lengths, seed: 1, isChannelsFirst: true)
        let inner = LoopSamples.body(
            [
                Node("Mul", inputs: ["x", "w"], outputs: ["scaled"]),
                Node("Unsqueeze", inputs: ["x_t", "last"], outputs: ["column"]),
                Node("Add", inputs: ["scaled", "column"], outputs: ["z"]),
                LoopSamples.normalization(of: "z", to: "y"),
                Node(
                    "ReduceMax",
                    inputs: ["y"],
                    outputs: ["most"],
                    attributes: [Attribute("axes", .ints([2]))]
                ),
                Node("Squeeze", inputs: ["most", "last"], outputs: ["top"]),
                Node("Add", inputs: ["top", "g"], outputs: ["g_next"]),
            ],
            from: ["g", "w"],
            to: ["g_next"]
        )
        let outer = LoopSamples.body(
            [LoopSamples.scan(["h", "weights"], ["h_next"], inner, axes: [0], named: "layers")],
            from: ["h", "x_t"],
            to: ["h_next"]
        )
        let scan = LoopSamples.scan(["zeros", "x"], ["y_last"], outer, axes: [2], named: "time")
        let model = try LoopSamples.model(
            [scan],
            layout: LoopSamples.channelsFirst,
            outputs: ["y_last"],
            constants: [
                weights, Initializer("last", Tensor(repeating: Int64(2), shape: [1])),
            ]
        )
        let statistics = try observed(model, LoopSamples.channelsFirst, batch)[0]
        let (means, counts) = (try #require(statistics.mean), try #require(statistics.positions))
        #expect(means.shape.dimensions == [4, 3, 2])
        let x = try #require(batch.inputs["x"]).array(of: Float.self).map(Double.init)
        let w = try weights.tensor().doubles
        for step in 0..<4 {
            for layer in 0..<3 {
                for channel in 0..<2 {
                    var moments = PlainMoments()
                    for (row, length) in lengths.enumerated() where step < length {
                        let line = (row * 2 + channel) * 4
                        for position in 0..<length {
                            moments.numbers.append(
                                x[line + position] * w[layer * 2 + channel] + x[line + step]
                            )
                        }
                    }
                    let cell = step * 3 + layer
                    #expect(counts.doubles[cell] == Double(moments.numbers.count))
                    #expect(near.allows(means.doubles[cell * 2 + channel], moments.mean))
                }
            }
        }
    }

    @Test func `a Scan over time in a Scan over layers normalizes what is at each position`() throws {
        let batch = try LoopSamples.batch([3, 1, 2], seed: 4)
        let inner = LoopSamples.body(LoopSamples.step(of: "x_t"), from: ["h", "x_t"], to: ["next", "each"])
        let outer = LoopSamples.body(
            [
                LoopSamples.scan(["zeros", "s"], ["last", "all"], inner, axes: [1], named: "time"),
                Node("Identity", inputs: ["last"], outputs: ["out"]),
                Node(
                    "Transpose",
                    inputs: ["all"],
                    outputs: ["s_next"],
                    attributes: [Attribute("perm", .ints([1, 0, 2]))]
                ),
            ],
            from: ["s", "w"],
            to: ["s_next", "out"]
        )
        let scan = LoopSamples.scan(["x", "weights"], ["y", "outs"], outer, axes: [0], named: "layers")
        let model = try LoopSamples.model(
            [scan],
            layout: LoopSamples.signature,
            outputs: ["outs"],
            constants: [weights]
        )
        let statistics = try observed(model, LoopSamples.signature, batch)[0]
        #expect(statistics.positions?.doubles == [3, 2, 1, 3, 2, 1, 3, 2, 1])
        let oracle = try StepOracle(batch)
        let means = try #require(statistics.mean).element(at: 0)
        for step in 0..<3 {
            for channel in 0..<2 {
                #expect(
                    near.allows(means.element(at: step).doubles[channel], oracle.moments[step][channel].mean)
                )
            }
        }
    }

    private func reason(_ model: Model, _ signature: Signature) throws -> UnknownPositions? {
        do {
            _ = try FreezePlan(model, signature: signature)
            return nil
        } catch .noMask(let label, let path, let reason) {
            #expect(label == "bn")
            #expect(path.description == "loop/body/bn")
            // The operator's own way needs no positions.
            _ = try FreezePlan(model, signature: signature, options: FreezeOptions(padding: .include))
            return reason
        }
    }

    @Test func `sequences and positions on one axis are refused by name`() throws {
        let nodes = [
            Node("Mul", inputs: ["h", "w"], outputs: ["scaled"]),
            Node(
                "Transpose",
                inputs: ["scaled"],
                outputs: ["turned"],
                attributes: [Attribute("perm", .ints([0, 2, 1]))]
            ),
            Node("Reshape", inputs: ["turned", "flat"], outputs: ["z"]),
            LoopSamples.normalization(of: "z", to: "y"), Node("Identity", inputs: ["h"], outputs: ["next"]),
        ]
        let scan = LoopSamples.scan(
            ["x", "weights"],
            ["last", "all"],
            LoopSamples.body(nodes, from: ["h", "w"], to: ["next", "y"]),
            axes: [0]
        )
        let flat = try Tensor([-1, 2] as [Int64], shape: Shape(checking: [2]))
        let model = try LoopSamples.model(
            [scan],
            layout: LoopSamples.channelsFirst,
            outputs: ["all"],
            constants: [weights, Initializer("flat", flat)]
        )
        #expect(try reason(model, LoopSamples.channelsFirst) == .axes)
    }

    @Test func `a sum of positions from the front and from the end is refused by name`() throws {
        let body = LoopSamples.body(
            [
                Node("Add", inputs: ["there", "back"], outputs: ["sum"]),
                Node("Add", inputs: ["sum", "h"], outputs: ["z"]),
                LoopSamples.normalization(of: "z", to: "next"),
            ],
            from: ["h", "there", "back"],
            to: ["next"]
        )
        let scan = LoopSamples.scan(["zeros", "x", "x"], ["y"], body, axes: [1, 1], directions: [0, 1])
        let model = try LoopSamples.model([scan], layout: LoopSamples.signature, outputs: ["y"])
        #expect(try reason(model, LoopSamples.signature) == .severalPositions)
    }

    @Test func `steps that take more than a position are refused by name`() throws {
        let body = LoopSamples.body(
            [
                Node("Slice", inputs: ["x", "number", "end", "axes"], outputs: ["window"]),
                Node(
                    "ReduceMax",
                    inputs: ["window"],
                    outputs: ["most"],
                    attributes: [
                        Attribute("axes", .ints([1])), Attribute("keepdims", .int(0)),
                    ]
                ),
                Node("Add", inputs: ["most", "h"], outputs: ["z"]),
                Node("Identity", inputs: ["h"], outputs: ["same"]),
                LoopSamples.normalization(of: "z", to: "next"),
            ],
            from: ["h", "number"],
            to: ["next"]
        )
        let scan = LoopSamples.scan(["zeros", "numbers"], ["y"], body, axes: [0])
        let numbers = try Tensor([0, 1] as [Int64], shape: Shape(checking: [2, 1]))
        let model = try LoopSamples.model(
            [scan],
            layout: LoopSamples.signature,
            outputs: ["y"],
            constants: [
                Initializer("numbers", numbers), Initializer("end", Tensor(repeating: Int64(9), shape: [1])),
                Initializer("axes", Tensor(repeating: Int64(1), shape: [1])),
            ]
        )
        #expect(try reason(model, LoopSamples.signature) == .steps)
    }
}
