import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// A Loop over positions gives, as a Scan, what it gives as it is written.
struct LoopSteppingTests {
    /// A loop over the positions of `x [B, L, 3]` with a state `h [B, 4]`: `h = tanh(x[:, t] W + h U)`.
    private struct Sample {
        /// The number of trips, by the nodes that give `trips`.
        var trips = [
            Node("Shape", inputs: ["x"], outputs: ["shape"]),
            Node("Gather", inputs: ["shape", "one"], outputs: ["trips"]),
        ]
        /// What the body gathers from, by the nodes that give `source`.
        var source = [
            Node("Slice", inputs: ["x", "from", "to", "axes", "by"], outputs: ["source"])
        ]
        var gatherAxis: Int64 = 1
        var index = "t"
        var goesOn = [Node("Identity", inputs: ["true"], outputs: ["again"])]
        var start = "true"
        /// What is added to the state, by the nodes that give `shift`.
        var shift = [
            Node("Min", inputs: ["t", "two"], outputs: ["place"]),
            Node("Gather", inputs: ["table", "place"], outputs: ["shift"]),
        ]
        /// How `next` is appended to `list`.
        var insertion = [Node("SequenceInsert", inputs: ["list", "next"], outputs: ["longer"])]
        var stack = [
            Node(
                "ConcatFromSequence",
                inputs: ["parts"],
                outputs: ["y"],
                attributes: [Attribute("axis", .int(1)), Attribute("new_axis", .int(1))]
            )
        ]
        var scanOutputs = ["next"]
        var outputs = ["y", "last", "all"]

        func model() throws -> Model {
            var random = SplitMix(seed: 3)
            func matrix(_ dimensions: [Int]) throws -> Tensor { try Tensor.random(dimensions, &random) }
            var constants: [String: Tensor] = [
                "one": try Tensor([1 as Int64], shape: [1]), "from": try Tensor([0 as Int64], shape: [1]),
                "to": try Tensor([Int64.max], shape: [1]), "axes": try Tensor([0 as Int64], shape: [1]),
                "by": try Tensor([1 as Int64], shape: [1]), "true": Tensor(scalar: true),
                "two": Tensor(scalar: 2 as Int64), "zero": Tensor(scalar: 0 as Int64),
                "false": Tensor(scalar: false), "long": Tensor(scalar: 3 as Int64),
            ]
            constants["w"] = try matrix([3, 4])
            constants["u"] = try matrix([4, 4])
            constants["bias"] = try matrix([4])
            constants["table"] = try matrix([3, 4])
            let body = Graph(
                name: "step",
                nodes: source + [
                    Node(
                        "Gather",
                        inputs: ["source", index],
                        outputs: ["row"],
                        attributes: [Attribute("axis", .int(gatherAxis))]
                    ),
                    Node("Gemm", inputs: ["row", "w", "bias"], outputs: ["enter"]),
                    Node("MatMul", inputs: ["h", "u"], outputs: ["recur"]),
                    Node("Add", inputs: ["enter", "recur"], outputs: ["sum"]),
                ] + shift + [
                    Node("Add", inputs: ["sum", "shift"], outputs: ["moved"]),
                    Node("Tanh", inputs: ["moved"], outputs: ["next"]),
                ] + insertion + goesOn,
                inputs: ["t", "goes", "h", "list"].map { ValueInfo($0) },
                outputs: (["again", "next", "longer"] + scanOutputs).map { ValueInfo($0) }
            )
            let graph = Graph(
                name: "loop",
                nodes: trips + [
                    Node("Shape", inputs: ["x"], outputs: ["sizes"]),
                    Node("Slice", inputs: ["sizes", "from", "one", "axes"], outputs: ["batch"]),
                    Node(
                        "Constant",
                        inputs: [],
                        outputs: ["four"],
                        attributes: [Attribute("value_ints", .ints([4]))]
                    ),
                    Node(
                        "Concat",
                        inputs: ["batch", "four"],
                        outputs: ["first"],
                        attributes: [Attribute("axis", .int(0))]
                    ),
                    Node("ConstantOfShape", inputs: ["first"], outputs: ["h0"]),
                    Node("SequenceEmpty", inputs: [], outputs: ["nothing"]),
                    Node(
                        "Loop",
                        inputs: ["trips", start, "h0", "nothing"],
                        outputs: ["last", "parts"] + scanOutputs.indices.map { $0 == 0 ? "all" : "all\($0)" },
                        attributes: [Attribute("body", .graph(body))]
                    ),
                ] + stack,
                initializers: constants.sorted { $0.key < $1.key }.map { Initializer($0.key, $0.value) },
                inputs: [ValueInfo("x", elementType: .float32, dimensions: nil)],
                outputs: outputs.map { ValueInfo($0) }
            )
            return Model(graph: graph, opsetImports: ["": 17])
        }
    }

    private func check(_ sample: Sample, isScan: Bool, _ place: String) throws {
        let model = try sample.model()
        let plan = try ExecutionPlan(model)
        let plain = try ExecutionPlan(model, rewriting: false)
        #expect(plan.operatorTypes.contains("Scan") == isScan, "\(place)")
        #expect(plan.operatorTypes.contains("Loop") != isScan, "\(place)")
        #expect(!plain.operatorTypes.contains("Scan"), "\(place)")
        var random = SplitMix(seed: 4)
        for (batch, length) in [(1, 1), (1, 2), (3, 3), (2, 5), (1, 9)] {
            let x = ["x": try Tensor.random([batch, length, 3], &random)]
            let expected: [Tensor]
            do {
                expected = try plain.run(x)
            } catch {
                #expect(throws: ExecutionError.self, "\(place)") { try plan.run(x) }
                continue
            }
            let answers = try plan.run(x)
            for (answer, wanted) in zip(answers, expected) {
                #expect(answer.shape == wanted.shape, "\(place) \(batch) \(length)")
                // The rows of all steps together are multiplied in the order of one.
                for (a, b) in zip(answer.doubles, wanted.doubles) { #expect(abs(a - b) < 1e-6, "\(place)") }
            }
        }
    }

    @Test func `loops over positions become scans, whatever they keep of their steps`() throws {
        try check(Sample(), isScan: true, "a list")
        var sample = Sample()
        sample.insertion = [
            Node("Unsqueeze", inputs: ["next", "one"], outputs: ["part"]),
            Node("SequenceInsert", inputs: ["list", "part"], outputs: ["longer"]),
        ]
        sample.stack[0] = Node(
            "ConcatFromSequence",
            inputs: ["parts"],
            outputs: ["y"],
            attributes: [Attribute("axis", .int(1))]
        )
        try check(sample, isScan: true, "a list of parts with the axis")
        sample = Sample()
        sample.scanOutputs = ["next", "row", "next"]
        sample.outputs = ["all", "all1", "all2"]
        try check(sample, isScan: true, "outputs")
        sample.shift = [Node("Identity", inputs: ["bias"], outputs: ["shift"])]
        try check(sample, isScan: true, "without the number of the step")
        sample = Sample()
        sample.trips = [
            Node(
                "Shape",
                inputs: ["x"],
                outputs: ["shape"],
                attributes: [Attribute("start", .int(1)), Attribute("end", .int(2))]
            ),
            Node("Squeeze", inputs: ["shape"], outputs: ["trips"]),
        ]
        sample.goesOn = [Node("Identity", inputs: ["goes"], outputs: ["again"])]
        sample.start = ""
        try check(sample, isScan: true, "trips by Shape alone")
        sample = Sample()
        sample.source = [Node("Identity", inputs: ["x"], outputs: ["source"])]
        sample.source.append(
            Node(
                "Gather",
                inputs: ["x", "t"],
                outputs: ["again0"],
                attributes: [Attribute("axis", .int(1))]
            )
        )
        sample.scanOutputs = ["again0", "row"]
        sample.outputs = ["y", "all", "all1"]
        try check(sample, isScan: true, "rows that are gathered twice")
    }

    @Test func `loops that may end otherwise, or read what is no position, stay loops`() throws {
        var sample = Sample()
        sample.trips = [Node("Identity", inputs: ["long"], outputs: ["trips"])]
        try check(sample, isScan: false, "a number of trips of its own")
        sample = Sample()
        sample.trips[1] = Node("Gather", inputs: ["shape", "from"], outputs: ["trips"])
        try check(sample, isScan: false, "as many trips as another axis is long")
        sample = Sample()
        sample.gatherAxis = 0
        try check(sample, isScan: false, "rows along another axis")
        sample = Sample()
        sample.index = "place"
        sample.source.append(sample.shift.removeFirst())
        try check(sample, isScan: false, "rows at another index")
        sample = Sample()
        sample.source = [Node("Slice", inputs: ["x", "from", "one", "axes", "by"], outputs: ["source"])]
        try check(sample, isScan: false, "a part of the tensor")
        sample = Sample()
        sample.goesOn = [Node("Less", inputs: ["t", "two"], outputs: ["again"])]
        try check(sample, isScan: false, "a condition of its own")
        sample = Sample()
        sample.start = "false"
        try check(sample, isScan: false, "no trip")
        sample = Sample()
        sample.insertion[0].inputs.append("zero")
        try check(sample, isScan: false, "a list that grows in front")
        sample = Sample()
        sample.stack.append(Node("SequenceLength", inputs: ["parts"], outputs: ["count"]))
        sample.outputs.append("count")
        try check(sample, isScan: false, "a list that is read otherwise")
        sample = Sample()
        sample.stack[0] = Node(
            "ConcatFromSequence",
            inputs: ["parts"],
            outputs: ["y"],
            attributes: [Attribute("axis", .int(1))]
        )
        try check(sample, isScan: false, "parts joined along an axis they have")
    }

    @Test func `a loop that PyTorch wrote is packed`() throws {
        let file = try #require(ExportRecord.files.first { $0.model == "scripted-loop" }?.url)
        let model = try SequenceModel(model: Model(contentsOf: file))
        let request = OutputRequest.outputs(model.signature.outputs.map(\.name))
        let executor = try #require(try model.raggedExecutor(for: request).executor as? PackedExecutor)
        for step in executor.plan.report.steps { #expect([.packed, .known].contains(step.way), "\(step)") }
        for lengths in [[1], [17, 3, 1, 40], [5, 5, 5], [2, 1, 9, 16, 15, 17]] {
            let batch = try RandomBatch.of(model, lengths)
            let packed = try #require(executor.plan.run(batch))
            #expect(try executor.single.run(batch) == packed, "\(lengths)")
        }
    }
}
