import Freezing
import Inference
import ONNXGraph
import Statistics
import TensorCore
import TestSupport
import Testing

struct LoopTests {
    private let options = FreezeOptions(estimator: .meanOfBatches)

    @Test func `a scan has the statistics of its unrolled graph`() throws {
        let batches = try (0..<3).map { try Samples.batch([5, 3, 2], seed: $0) }
        let scanned = try Samples.freeze(try Samples.scanned(), batches, options)
        var nodes: [Node] = []
        var state: String?
        for step in 0..<3 {
            nodes.append(
                Node(
                    "Gather",
                    inputs: ["x", "index\(step)"],
                    outputs: ["x\(step)"],
                    attributes: [Attribute("axis", .int(1))]
                )
            )
            var z = "x\(step)"
            if let state {
                nodes.append(Node("Add", inputs: [z, state], outputs: ["z\(step)"]))
                z = "z\(step)"
            }
            nodes += Samples.normalization(of: z, to: "h\(step)", label: "step\(step)")
            state = "h\(step)"
        }
        let unrolled = try Samples.model(
            nodes,
            inputs: [("x", Samples.steps)],
            outputs: ["h2"],
            constants: (0..<3).map { Initializer("index\($0)", Tensor(scalar: Int64($0))) }
        )
        let frozen = try Samples.freeze(unrolled, batches, options)
        let whole = try #require(scanned.statistics.first)
        #expect(whole.coverage.doubles == [3, 3, 3])
        for step in 0..<3 {
            let mean = try #require(whole.mean).element(at: step)
            let variance = try #require(whole.variance).element(at: step)
            #expect(mean.relativeDifference(to: try #require(frozen.statistics[step].mean)) < 1e-6)
            #expect(variance.relativeDifference(to: try #require(frozen.statistics[step].variance)) < 1e-6)
        }
        let input = try Samples.batch([1, 3, 2], seed: 9).inputs
        let looped = try ExecutionPlan(scanned.model).run(input)[0]
        let flat = try ExecutionPlan(frozen.model).run(input)[0]
        #expect(looped.relativeDifference(to: flat) < 1e-5)
    }

    @Test func `steps that a batch did not reach are not counted`() throws {
        let batches = try [
            Samples.batch([4, 1, 2], seed: 1), Samples.batch([3, 0, 2], seed: 2),
            Samples.batch([2, 4, 2], seed: 3),
        ]
        let frozen = try Samples.freeze(try Samples.scanned(), batches, options)
        #expect(frozen.statistics[0].coverage.doubles == [2, 1, 1, 1])
        #expect(frozen.proofs.prefix(3).allSatisfy { $0.isHeld })
        let long = try ExecutionPlan(frozen.model).run(try Samples.batch([1, 9, 2], seed: 4).inputs)
        #expect(long[1].shape.dimensions == [9, 1, 2])
    }

    @Test func `a scan that never reaches a step cannot be frozen`() throws {
        let batches = try [Samples.batch([3, 0, 2], seed: 2)]
        #expect(throws: FreezeError.self) { try Samples.freeze(try Samples.scanned(), batches, options) }
    }

    @Test func `a reversed scan has its statistics by position`() throws {
        let batches = try [Samples.batch([4, 3, 2], seed: 1), Samples.batch([4, 3, 2], seed: 2)]
        let forward = try Samples.freeze(try Samples.scanned(), batches.map { try $0.reversed() }, options)
        let backward = try Samples.freeze(try Samples.scanned(isReversed: true), batches, options)
        let a = try #require(forward.statistics[0].mean)
        let b = try #require(backward.statistics[0].mean)
        for step in 0..<3 { #expect(a.element(at: step) == b.element(at: 2 - step)) }
        let input = try Samples.batch([1, 3, 2], seed: 5)
        let there = try ExecutionPlan(forward.model).run(input.reversed().inputs)[0]
        let back = try ExecutionPlan(backward.model).run(input.inputs)[0]
        #expect(there == back)
    }

    @Test func `a body that two scans use is two sites`() throws {
        let base = try Samples.scanned()
        var graph = base.graph
        let second = Samples.scan(
            "second",
            over: "x",
            state: "last",
            to: ["last2", "all2"],
            body: Samples.body(prefix: "s_")
        )
        graph.nodes += [second]
        graph.outputs = [ValueInfo("last2", elementType: .float32, dimensions: nil)]
        let model = Model(graph: graph, opsetImports: ["": 17])
        try model.validate()
        let batches = try [Samples.batch([4, 3, 2], seed: 1), Samples.batch([3, 2, 2], seed: 2)]
        let frozen = try Samples.freeze(model, batches, options)
        #expect(frozen.sites.map(\.label) == ["loop/bn", "second/bn"])
        #expect(frozen.statistics[0].mean != frozen.statistics[1].mean)
    }

    @Test func `a Loop has the statistics of the Scan that does the same`() throws {
        let batches = try (0..<2).map { try Samples.batch([5, 3, 2], seed: $0) }
        var body = Samples.body()
        body.inputs = [
            ValueInfo("i", elementType: .int64, dimensions: []),
            ValueInfo("c", elementType: .bool, dimensions: []),
            ValueInfo("h", elementType: .float32, dimensions: Samples.matrix),
        ]
        body.nodes =
            [
                Node(
                    "Gather",
                    inputs: ["x", "i"],
                    outputs: ["x_t"],
                    attributes: [Attribute("axis", .int(1))]
                ),
                Node("Identity", inputs: ["c"], outputs: ["c_next"]),
            ] + body.nodes
        body.outputs = [ValueInfo("c_next", elementType: .bool, dimensions: [])] + body.outputs
        var graph = try Samples.scanned().graph
        let loop = Node(
            "Loop",
            name: "loop",
            inputs: ["count", "", "zeros"],
            outputs: ["last", "all"],
            attributes: [Attribute("body", .graph(body))]
        )
        graph.nodes =
            Array(graph.nodes.prefix(2)) + [
                Node("Shape", inputs: ["x"], outputs: ["shape"]),
                Node("Gather", inputs: ["shape", "one"], outputs: ["count"]), loop,
            ]
        graph.initializers += [Initializer("one", Tensor(scalar: Int64(1)))]
        let model = Model(graph: graph, opsetImports: ["": 17])
        try model.validate()
        let looped = try Samples.freeze(model, batches, options)
        let scanned = try Samples.freeze(try Samples.scanned(), batches, options)
        #expect(looped.statistics == scanned.statistics)
        let input = try Samples.batch([1, 5, 2], seed: 9).inputs
        // Passes for the body of a Scan alone change how it is rounded.
        let plans = try [looped, scanned].map { try ExecutionPlan($0.model, rewriting: false) }
        #expect(try plans[0].run(input)[1] == plans[1].run(input)[1])
    }
}

extension TrainingBatch {
    /// The same steps in the other order.
    func reversed() throws -> TrainingBatch {
        var copy = self
        let x = try #require(inputs["x"])
        let (rows, steps, width) = (x.shape[0], x.shape[1], x.shape[2])
        let source = x.array(of: Float.self)
        copy.inputs["x"] = Tensor(of: Float.self, shape: x.shape) { target in
            for row in 0..<rows {
                for step in 0..<steps {
                    for channel in 0..<width {
                        target[(row * steps + step) * width + channel] =
                            source[(row * steps + steps - 1 - step) * width + channel]
                    }
                }
            }
        }
        return copy
    }
}
