import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

struct ScanTests {
    private func value(_ name: String, _ type: ElementType = .float32) -> ValueInfo {
        ValueInfo(name, elementType: type, dimensions: nil)
    }

    private func model(_ nodes: [Node], inputs: [String], outputs: [String], opset: Int = 17) -> Model {
        Model(
            graph: Graph(
                name: "test",
                nodes: nodes,
                inputs: inputs.map { value($0) },
                outputs: outputs.map { value($0) }
            ),
            opsetImports: ["": opset]
        )
    }

    /// state' = state * w + x_t with `w` captured from outside; each state is a scan output too.
    private func recurrence(
        inputAxis: Int = 0,
        inputDirection: Int = 0,
        outputAxis: Int = 0,
        outputDirection: Int = 0
    ) throws -> ExecutionPlan {
        let body = Graph(
            name: "body",
            nodes: [
                Node("Mul", inputs: ["h", "w"], outputs: ["scaled"]),
                Node("Add", inputs: ["scaled", "x_t"], outputs: ["h_next"]),
                Node("Identity", inputs: ["h_next"], outputs: ["h_each"]),
            ],
            inputs: [value("h"), value("x_t")],
            outputs: [value("h_next"), value("h_each")]
        )
        let scan = Node(
            "Scan",
            name: "scan",
            inputs: ["h0", "x"],
            outputs: ["last", "all"],
            attributes: [
                Attribute("body", .graph(body)), Attribute("num_scan_inputs", .int(1)),
                Attribute("scan_input_axes", .ints([Int64(inputAxis)])),
                Attribute("scan_input_directions", .ints([Int64(inputDirection)])),
                Attribute("scan_output_axes", .ints([Int64(outputAxis)])),
                Attribute("scan_output_directions", .ints([Int64(outputDirection)])),
            ]
        )
        return try ExecutionPlan(model([scan], inputs: ["h0", "x", "w"], outputs: ["last", "all"]))
    }

    private func tensor(_ values: [Float], _ shape: Shape) throws -> Tensor {
        try Tensor(values, shape: shape)
    }

    /// The recurrence written out; rows of `x` in the order of the steps.
    private func unrolled(_ x: [[Float]], w: Float) -> [[Float]] {
        var h = [Float](repeating: 1, count: x.first?.count ?? 2)
        return x.map { row in
            h = zip(h, row).map { $0 * w + $1 }
            return h
        }
    }

    private let x: [[Float]] = [[1, 2], [3, 4], [5, 6]]

    private func inputs(_ x: Tensor) throws -> [String: Tensor] {
        ["h0": try tensor([1, 1], [2]), "x": x, "w": Tensor(scalar: Float(0.5))]
    }

    @Test func `a scan equals its steps written out`() throws {
        let steps = unrolled(x, w: 0.5)
        let outputs = try recurrence().run(inputs(tensor(Array(x.joined()), [3, 2])))
        #expect(outputs[0].array(of: Float.self) == steps[2])
        #expect(outputs[1] == (try tensor(Array(steps.joined()), [3, 2])))
    }

    @Test func `directions turn the steps and the results around`() throws {
        let steps = unrolled(x.reversed(), w: 0.5)
        let backwards = try recurrence(inputDirection: 1).run(inputs(tensor(Array(x.joined()), [3, 2])))
        #expect(backwards[1] == (try tensor(Array(steps.joined()), [3, 2])))
        let both = try recurrence(inputDirection: 1, outputDirection: 1)
            .run(inputs(tensor(Array(x.joined()), [3, 2])))
        #expect(both[1] == (try tensor(Array(steps.reversed().joined()), [3, 2])))
    }

    @Test(arguments: [(1, 1), (-1, -1), (1, -2), (-2, 1)])
    func `axes are where the attributes say, negative ones from the end`(_ axes: (Int, Int)) throws {
        // [2, 3]: scanning axis 1 takes columns; scanning axis 0 (or -2) would take rows.
        let columns = axes.0 == 1 || axes.0 == -1
        let stored: Tensor =
            columns
            ? try tensor([1, 3, 5, 2, 4, 6], [2, 3]) : try tensor([1, 2, 3, 4, 5, 6], [3, 2])
        let output = try recurrence(inputAxis: axes.0, outputAxis: axes.1).run(inputs(stored))[1]
        let steps = unrolled(x, w: 0.5)
        let rows = try tensor(Array(steps.joined()), [3, 2])
        let turned = try tensor(
            [steps[0][0], steps[1][0], steps[2][0], steps[0][1], steps[1][1], steps[2][1]],
            [2, 3]
        )
        #expect(output == (axes.1 == -2 ? rows : turned))
    }

    @Test func `no steps leave the state and give no rows`() throws {
        let outputs = try recurrence().run(inputs(tensor([], [0, 2])))
        #expect(outputs[0].array(of: Float.self) == [1, 1])
        #expect(outputs[1].shape == [0, 2])
    }

    @Test func `an axis outside the input is an error with the node's place`() throws {
        #expect(throws: ExecutionError.self) {
            _ = try recurrence(inputAxis: 2).run(inputs(tensor([1, 2], [1, 2])))
        }
    }

    @Test func `scan inputs of different lengths are an error`() throws {
        let body = Graph(
            name: "body",
            nodes: [Node("Add", inputs: ["a_t", "b_t"], outputs: ["sum"])],
            inputs: [value("a_t"), value("b_t")],
            outputs: [value("sum")]
        )
        let scan = Node(
            "Scan",
            name: "scan",
            inputs: ["a", "b"],
            outputs: ["sums"],
            attributes: [Attribute("body", .graph(body)), Attribute("num_scan_inputs", .int(2))]
        )
        let plan = try ExecutionPlan(model([scan], inputs: ["a", "b"], outputs: ["sums"]))
        do {
            _ = try plan.run(["a": tensor([1, 2], [2]), "b": tensor([1, 2, 3], [3])])
            Issue.record("no error")
        } catch {
            guard let failure = error as? ExecutionError,
                case .node(let path, "Scan", .scanLengthsDiffer(let lengths)) = failure
            else {
                Issue.record("\(error)")
                return
            }
            #expect(path.description == "scan")
            #expect(lengths == [2, 3])
        }
    }

    @Test func `states may be handed on crosswise`() throws {
        let body = Graph(
            name: "body",
            nodes: [Node("Identity", inputs: ["x_t"], outputs: ["x_out"])],
            inputs: [value("a"), value("b"), value("x_t")],
            outputs: [value("b"), value("a"), value("x_out")]
        )
        let scan = Node(
            "Scan",
            name: "scan",
            inputs: ["a0", "b0", "x"],
            outputs: ["a1", "b1", "y"],
            attributes: [Attribute("body", .graph(body)), Attribute("num_scan_inputs", .int(1))]
        )
        let plan = try ExecutionPlan(model([scan], inputs: ["a0", "b0", "x"], outputs: ["a1", "b1", "y"]))
        let one = Tensor(scalar: Float(1))
        let two = Tensor(scalar: Float(2))
        let outputs = try plan.run(["a0": one, "b0": two, "x": tensor([7, 8, 9], [3])])
        #expect(outputs[0] == two)
        #expect(outputs[1] == one)
        #expect(outputs[2].array(of: Float.self) == [7, 8, 9])
    }

    /// sum over i, j, k of x[i, j, k] * w, three scans deep, `w` captured through all of them.
    @Test func `scans three deep see the outermost values`() throws {
        func scan(_ name: String, _ body: Graph, _ input: String, _ state: String, _ output: String) -> Node {
            Node(
                "Scan",
                name: name,
                inputs: [state, input],
                outputs: [output],
                attributes: [Attribute("body", .graph(body)), Attribute("num_scan_inputs", .int(1))]
            )
        }
        let innermost = Graph(
            name: "c",
            nodes: [
                Node("Mul", inputs: ["x3", "w"], outputs: ["p"]),
                Node("Add", inputs: ["s3", "p"], outputs: ["t3"]),
            ],
            inputs: [value("s3"), value("x3")],
            outputs: [value("t3")]
        )
        let middle = Graph(
            name: "b",
            nodes: [scan("three", innermost, "x2", "s2", "t2")],
            inputs: [value("s2"), value("x2")],
            outputs: [value("t2")]
        )
        let outer = Graph(
            name: "a",
            nodes: [scan("two", middle, "x1", "s1", "t1")],
            inputs: [value("s1"), value("x1")],
            outputs: [value("t1")]
        )
        var nested = model([scan("one", outer, "x", "s", "t")], inputs: ["s", "x", "w"], outputs: ["t"])
        let plan = try ExecutionPlan(nested)
        let values = (1...24).map { Float($0) }
        let output = try plan.run([
            "s": Tensor(scalar: Float(0)), "x": tensor(values, [2, 3, 4]), "w": Tensor(scalar: Float(2)),
        ])
        #expect(output[0].array(of: Float.self) == [600])
        nested.graph.inputs[2] = value("w", .int64)
        do {
            _ = try ExecutionPlan(nested).run([
                "s": Tensor(scalar: Float(0)), "x": tensor(values, [2, 3, 4]), "w": Tensor(scalar: Int64(2)),
            ])
            Issue.record("no error")
        } catch {
            #expect("\(error)".hasPrefix("one/body/two/body/three/body/Add#1 (Add):"))
        }
    }

    @Test func `an attribute nobody reads is a load error with the place`() {
        let node = Node(
            "Relu",
            name: "relu",
            inputs: ["x"],
            outputs: ["y"],
            attributes: [Attribute("strange", .int(1))]
        )
        #expect {
            _ = try ExecutionPlan(model([node], inputs: ["x"], outputs: ["y"]))
        } throws: { error in
            guard case .invalidNode(let path, "Relu", .unknownAttribute("strange"))? = error as? PlanError
            else {
                return false
            }
            return path.description == "relu"
        }
    }

    @Test func `a loop without end stops at a limit`() throws {
        let body = Graph(
            name: "body",
            nodes: [
                Node("Identity", inputs: ["c"], outputs: ["c_out"]),
                Node("Neg", inputs: ["v"], outputs: ["v_out"]),
            ],
            inputs: [value("i", .int64), value("c", .bool), value("v")],
            outputs: [value("c_out", .bool), value("v_out")]
        )
        let loop = Node(
            "Loop",
            name: "loop",
            inputs: ["", "", "x"],
            outputs: ["y"],
            attributes: [Attribute("body", .graph(body))]
        )
        var model = model([loop], inputs: ["x"], outputs: ["y"])
        model.limits.loopTrips = 1000
        let plan = try ExecutionPlan(model)
        #expect {
            _ = try plan.run(["x": Tensor(scalar: Float(1))])
        } throws: { error in
            guard case .node(_, "Loop", .tooManyIterations(1000))? = error as? ExecutionError else {
                return false
            }
            return true
        }
    }

    @Test func `sizes that the file only claims are errors, not allocations`() throws {
        let constant = Node(
            "Constant",
            inputs: [],
            outputs: ["shape"],
            attributes: [Attribute("value_ints", .ints([1 << 15, 1 << 15]))]
        )
        let node = Node("ConstantOfShape", name: "huge", inputs: ["shape"], outputs: ["y"])
        let plan = try ExecutionPlan(model([constant, node], inputs: [], outputs: ["y"]))
        #expect(throws: ExecutionError.self) { _ = try plan.run([:]) }
    }

    /// An LSTM with a table looked up by step, a mask and a scan output, as normalized recurrent models have it.
    ///
    /// If it `normalizes`, by statistics that are looked up as well: both products, and the cell on its way out.
    private func gatedModel(isReversed: Bool, normalizes: Bool = false) throws -> Model {
        func random(_ shape: Shape, _ seed: Int) throws -> Tensor {
            let count = shape.elementCount
            return try tensor(
                (0..<count).map { Float(($0 * 7919 + seed * 104_729) % 2003) / 1000 - 1 },
                shape
            )
        }
        func squares(_ shape: Shape, _ seed: Int) throws -> Tensor {
            try tensor(random(shape, seed).array(of: Float.self).map { $0 * $0 + 0.1 }, shape)
        }
        let hidden = 19
        func normalization(_ input: String, _ tables: String, _ output: String) -> [Node] {
            [
                Node("Gather", inputs: [tables + "mean", "now"], outputs: [output + "m"]),
                Node("Gather", inputs: [tables + "variance", "now"], outputs: [output + "v"]),
                Node("Add", inputs: [output + "v", "epsilon"], outputs: [output + "e"]),
                Node("Sqrt", inputs: [output + "e"], outputs: [output + "d"]),
                Node("Sub", inputs: [input, output + "m"], outputs: [output + "c"]),
                Node("Div", inputs: [output + "c", output + "d"], outputs: [output + "n"]),
                Node("Mul", inputs: [output + "n", tables + "scale"], outputs: [output]),
            ]
        }
        let shifted = [
            Node("Gather", inputs: ["table", "now"], outputs: ["shift"]),
            Node("Sub", inputs: ["wx", "shift"], outputs: ["normal"]),
            Node("Tanh", inputs: ["wh"], outputs: ["scaled"]),
            Node("Add", inputs: ["normal", "scaled"], outputs: ["gates"]),
        ]
        let normalized =
            normalization("wx", "gate_", "normal") + normalization("wh", "gate_", "scaled") + [
                Node("Add", inputs: ["normal", "scaled"], outputs: ["sum"]),
                Node("Add", inputs: ["sum", "gate_bias"], outputs: ["gates"]),
            ]
        let seen =
            normalizes
            ? normalization("c_next", "cell_", "seen") + [Node("Tanh", inputs: ["seen"], outputs: ["h_next"])]
            : [Node("Tanh", inputs: ["c_next"], outputs: ["h_next"])]
        let products = [
            Node("Min", inputs: ["t", "last"], outputs: ["now"]),
            Node("MatMul", inputs: ["x_t", "w_x"], outputs: ["wx"]),
            Node("MatMul", inputs: ["h", "w_h"], outputs: ["wh"]),
        ]
        let body = Graph(
            name: "body",
            nodes: products + (normalizes ? normalized : shifted) + [
                Node(
                    "Split",
                    inputs: ["gates", "sizes"],
                    outputs: ["f", "i", "g"],
                    attributes: [Attribute("axis", .int(1))]
                ),
                Node("Sigmoid", inputs: ["f"], outputs: ["sf"]),
                Node("Sigmoid", inputs: ["i"], outputs: ["si"]),
                Node("Tanh", inputs: ["g"], outputs: ["tg"]),
                Node("Mul", inputs: ["sf", "c"], outputs: ["kept"]),
                Node("Mul", inputs: ["si", "tg"], outputs: ["added"]),
                Node("Add", inputs: ["kept", "added"], outputs: ["cell"]),
                Node("Sub", inputs: ["one", "m_t"], outputs: ["stay"]),
                Node("Mul", inputs: ["m_t", "cell"], outputs: ["on"]),
                Node("Mul", inputs: ["stay", "c"], outputs: ["off"]),
                Node("Add", inputs: ["on", "off"], outputs: ["c_next"]),
            ] + seen + [
                Node(
                    "Concat",
                    inputs: ["h", "x_t"],
                    outputs: ["each"],
                    attributes: [Attribute("axis", .int(-1))]
                )
            ],
            inputs: [value("h"), value("c"), value("x_t"), value("m_t"), value("t", .int64)],
            outputs: [value("h_next"), value("c_next"), value("each")]
        )
        let scan = Node(
            "Scan",
            inputs: ["h0", "h0", "x", "mask", "steps"],
            outputs: ["h", "c", "all"],
            attributes: [
                Attribute("body", .graph(body)), Attribute("num_scan_inputs", .int(3)),
                Attribute("scan_input_axes", .ints([1, 1, 0])),
                Attribute("scan_input_directions", .ints([Int64](repeating: isReversed ? 1 : 0, count: 3))),
                Attribute("scan_output_directions", .ints([isReversed ? 1 : 0])),
            ]
        )
        let constants: [(String, Tensor)] = [
            ("last", Tensor(scalar: Int64(4))), ("table", try random([5, 3 * hidden], 1)),
            ("w_x", try random([6, 3 * hidden], 2)), ("w_h", try random([hidden, 3 * hidden], 3)),
            ("sizes", try Tensor([Int64](repeating: Int64(hidden), count: 3), shape: [3])),
            ("one", Tensor(scalar: Float(1))), ("epsilon", Tensor(scalar: Float(1e-3))),
            ("gate_mean", try random([5, 3 * hidden], 4)),
            ("gate_variance", try squares([5, 3 * hidden], 5)),
            ("gate_scale", try random([3 * hidden], 6)), ("gate_bias", try random([3 * hidden], 7)),
            ("cell_mean", try random([5, hidden], 8)), ("cell_variance", try squares([5, hidden], 9)),
            ("cell_scale", try random([hidden], 10)),
        ]
        return Model(
            graph: Graph(
                name: "test",
                nodes: [scan],
                initializers: constants.map { Initializer($0.0, $0.1) },
                inputs: ["h0", "x", "mask"].map { value($0) } + [value("steps", .int64)],
                outputs: ["h", "c", "all"].map { value($0) }
            ),
            opsetImports: ["": 17]
        )
    }

    private func gatedInputs(_ rows: [Int], steps: Int) throws -> [String: Tensor] {
        func values(_ width: Int, _ seed: Int) -> [Float] {
            rows.flatMap { row in
                (0..<width).map { Float(($0 * 613 + row * 7907 + seed) % 1999) / 1000 - 1 }
            }
        }
        let count = rows.count
        return [
            "h0": try tensor(values(19, 3), [count, 19]),
            "x": try tensor(values(steps * 6, 5), [count, steps, 6]),
            "mask": try tensor(values(steps, 9).map { $0 > -0.5 ? 1 : 0 }, [count, steps, 1]),
            "steps": try Tensor((0..<steps).map { Int64($0) }, shape: [steps]),
        ]
    }

    @Test(arguments: [(false, false), (true, false), (false, true), (true, true)], [1, 2, 9])
    func `a loop in place gives the bits of its nodes one by one, for every row alone`(
        _ form: (isReversed: Bool, normalizes: Bool),
        steps: Int
    ) throws {
        let model = try gatedModel(isReversed: form.isReversed, normalizes: form.normalizes)
        let inPlace = try ExecutionPlan(model)
        let plain = try ExecutionPlan(model, without: [.scanHoisting])
        let asWritten = try ExecutionPlan(model, rewriting: false)
        let tolerance = Tolerance.close(
            absolute: 1e-5,
            relative: 1e-5,
            because: "scale and shift are computed in Double, and rounded once"
        )
        for count in [1, 2, 5, 16] {
            let inputs = try gatedInputs(Array(0..<count), steps: steps)
            let expected = try plain.run(inputs)
            let results = try inPlace.run(inputs)
            #expect(results.map(\.shape) == expected.map(\.shape))
            for (result, other) in zip(results, expected) {
                let differences = zip(result.array(of: Float.self), other.array(of: Float.self)).count {
                    $0 != $1
                }
                #expect(differences == 0, "\(count) rows")
            }
            for (result, other) in zip(results, try asWritten.run(inputs)) {
                #expect(tolerance.firstDifference(result, other) == nil)
            }
            let alone = try inPlace.run(gatedInputs([count - 1], steps: steps))[0].array(of: Float.self)
            #expect(Array(results[0].array(of: Float.self).suffix(19)) == alone)
        }
    }

    @Test func `the normalizations of a loop are one operation in each of its products`() throws {
        let graph = try planned(gatedModel(isReversed: false, normalizes: true))
        let scan = try #require(graph.nodes.first?.computation as? Scan)
        let schedule = try #require(scan.schedule)
        let nodes = schedule.graph.nodes
        #expect(!nodes.contains { ($0.computation as? Arithmetic)?.operation == .divide })
        #expect(!nodes.contains { $0.operatorType == "Sqrt" && $0.computation is Unary })
        #expect(schedule.scaledProducts.count == 2)
        #expect(schedule.loop.count == 13)
    }

    private func planned(_ model: Model) throws -> PlanGraph {
        let scope = GraphScope(
            path: .root,
            opsets: ["": 17],
            parent: nil,
            allowance: PlanAllowance(model.limits)
        )
        try scope.add(model.graph, outputs: ["h", "c", "all"])
        var graph = scope.graph
        PlannerPasses.run(on: &graph)
        return graph
    }

    @Test(arguments: [false, true], [false, true])
    func `sequences of any lengths in one loop have the bits of each alone`(
        normalizes: Bool,
        withProducts: Bool
    ) throws {
        let model = try gatedModel(isReversed: false, normalizes: normalizes)
        let graph = try planned(model)
        let scan = try #require(graph.nodes.first?.computation as? Scan)
        let schedule = try #require(scan.schedule)
        let given = Set(schedule.graph.inputs[2...3])
        let parts = try #require(schedule.parts(rows: given, withProducts: withProducts))
        let products = parts.loop.count { schedule.graph.nodes[$0].computation is MatMul }
        #expect(products == (withProducts ? 2 : 1))
        let plan = try ExecutionPlan(model)
        let lengths = [3, 9, 1, 9, 4, 2, 17, 1, 5, 6, 8, 3, 7, 2]
        let each = try lengths.enumerated().map { try gatedInputs([$0.offset], steps: $0.element) }
        let alone = try each.map { try plan.run($0) }
        func column(_ name: String) throws -> [Float] {
            try each.flatMap { try #require($0[name]).array(of: Float.self) }
        }
        let rowCount = lengths.reduce(0, +)
        let offsets = lengths.indices.map { lengths[..<$0].reduce(0, +) } + [rowCount]
        let rows = ScanRows(offsets: offsets, isReversed: false)
        let x = try #require(rows.ordered(tensor(column("x"), [rowCount, 6])))
        let mask = try #require(rows.ordered(tensor(column("mask"), [rowCount, 1])))
        let start = try #require(rows.sorted(tensor(column("h0"), [lengths.count, 19])))
        let steps = try Tensor((0..<17).map { Int64($0) }, shape: [17])
        var budget = RunBudget(model.limits)
        let results = try withUnsafeMutablePointer(to: &budget) { budget in
            var slot: Tensor?
            return try withUnsafeMutablePointer(to: &slot) { slots in
                let (none, absent) = ([Tensor(scalar: Float(0))], [Operand.absent])
                return try none.withUnsafeBufferPointer { constants in
                    try absent.withUnsafeBufferPointer { operands in
                        let inputs = NodeInputs(
                            slots: slots,
                            others: nil,
                            constants: try #require(constants.baseAddress),
                            operands: try #require(operands.baseAddress),
                            count: 0,
                            lastUses: 0,
                            outputCount: 3,
                            budget: budget
                        )
                        var run = ScanRun(
                            schedule,
                            parts: parts,
                            scanInputs: [.rows(x), .rows(mask), .steps(steps)],
                            captures: [],
                            packing: rows,
                            inputs
                        )
                        let outputs = run.evaluate([start, start], outputsReversed: [false])
                        return try #require(outputs)
                    }
                }
            }
        }
        for index in 0..<2 {
            let states = try #require(rows.unsorted(results[index])).array(of: Float.self)
            #expect(states == alone.flatMap { $0[index].array(of: Float.self) })
        }
        let all = try #require(rows.sequential(results[2])).array(of: Float.self)
        #expect(all == alone.flatMap { $0[2].array(of: Float.self) })
    }
}
