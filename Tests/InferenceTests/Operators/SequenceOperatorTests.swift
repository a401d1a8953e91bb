import ONNXGraph
import TensorCore
import Testing

@testable import Inference

/// Sequences and optionals, as values of a graph and through the bodies of loops and branches.
struct SequenceOperatorTests {
    private func graph(
        _ nodes: [Node],
        inputs: [ValueInfo] = [],
        outputs: [String],
        constants: [String: Tensor] = [:]
    ) -> Graph {
        Graph(
            name: "sequences",
            nodes: nodes,
            initializers: constants.sorted { $0.key < $1.key }.map { Initializer($0.key, $0.value) },
            inputs: inputs,
            outputs: outputs.map { ValueInfo($0, elementType: .float32, dimensions: nil) }
        )
    }

    private func run(
        _ nodes: [Node],
        outputs: [String],
        constants: [String: Tensor] = [:],
        inputs: [String: Tensor] = [:]
    ) throws -> [Value] {
        let declared = inputs.keys.sorted().map {
            ValueInfo($0, elementType: inputs[$0]?.elementType ?? .float32, dimensions: nil)
        }
        let graph = graph(nodes, inputs: declared, outputs: outputs, constants: constants)
        let plan = try ExecutionPlan(Model(graph: graph, opsetImports: ["": 18]))
        return try plan.run(values: inputs.mapValues { .tensor($0) })
    }

    private func index(_ value: Int) -> Tensor { Tensor(scalar: Int64(value)) }

    private let a = Tensor(repeating: Float(1), shape: [2])
    private let b = Tensor(repeating: Float(2), shape: [3])
    private let c = Tensor(repeating: Float(3), shape: [1, 1])

    private var abc: Node { Node("SequenceConstruct", inputs: ["a", "b", "c"], outputs: ["s"]) }
    private var tensors: [String: Tensor] { ["a": a, "b": b, "c": c] }

    @Test func `a sequence is what it was made of`() throws {
        let length = Node("SequenceLength", inputs: ["s"], outputs: ["n"])
        let result = try run([abc, length], outputs: ["s", "n"], inputs: tensors)
        #expect(result == [.sequence([a, b, c]), .tensor(index(3))])
        #expect(
            try run([Node("SequenceEmpty", inputs: [], outputs: ["s"])], outputs: ["s"]) == [.sequence([])]
        )
    }

    @Test func `every position, from the front or the end, names one tensor`() throws {
        for (position, expected) in [(0, a), (1, b), (2, c), (-1, c), (-2, b), (-3, a)] {
            let at = Node("SequenceAt", inputs: ["s", "i"], outputs: ["y"])
            let result = try run(
                [abc, at],
                outputs: ["y"],
                constants: ["i": index(position)],
                inputs: tensors
            )
            #expect(result == [.tensor(expected)])
        }
    }

    @Test func `what is inserted can be erased again, at every position`() throws {
        let nodes = [
            Node("SequenceConstruct", inputs: ["a", "b"], outputs: ["s"]),
            Node("SequenceInsert", inputs: ["s", "c", "i"], outputs: ["more"]),
            Node("SequenceErase", inputs: ["more", "i"], outputs: ["less"]),
            Node("SequenceAt", inputs: ["more", "i"], outputs: ["y"]),
        ]
        for position in 0...1 {
            let result = try run(
                nodes,
                outputs: ["less", "y", "s"],
                constants: ["i": index(position)],
                inputs: tensors
            )
            #expect(result == [.sequence([a, b]), .tensor(c), .sequence([a, b])])
        }
        let ends = [
            abc, Node("SequenceInsert", inputs: ["s", "a"], outputs: ["more"]),
            Node("SequenceErase", inputs: ["more"], outputs: ["less"]),
        ]
        let result = try run(ends, outputs: ["more", "less"], inputs: tensors)
        #expect(result == [.sequence([a, b, c, a]), .sequence([a, b, c])])
        let behind = Node("SequenceInsert", inputs: ["s", "a", "i"], outputs: ["more"])
        let appended = try run([abc, behind], outputs: ["more"], constants: ["i": index(3)], inputs: tensors)
        #expect(appended == [.sequence([a, b, c, a])])
    }

    @Test func `a position outside of the sequence is an error`() throws {
        for (type, position) in [
            ("SequenceAt", 3), ("SequenceAt", -4), ("SequenceErase", 3), ("SequenceErase", -4),
            ("SequenceAt", .max), ("SequenceAt", .min),
        ] {
            let node = Node(type, inputs: ["s", "i"], outputs: ["y"])
            #expect {
                try run([abc, node], outputs: ["y"], constants: ["i": index(position)], inputs: tensors)
            } throws: { error in
                guard case .node(_, type, .indexOutOfRange(position, length: 3))? = error as? ExecutionError
                else { return false }
                return true
            }
        }
        let empty = [
            Node("SequenceEmpty", inputs: [], outputs: ["s"]),
            Node("SequenceErase", inputs: ["s"], outputs: ["y"]),
        ]
        #expect(throws: ExecutionError.self) { try run(empty, outputs: ["y"]) }
    }

    @Test func `a position that is a sequence is an error, even of no tensors`() throws {
        for first in [Node("SequenceEmpty", inputs: [], outputs: ["s"]), abc] {
            let at = Node("SequenceAt", inputs: ["s", "s"], outputs: ["y"])
            #expect {
                try run([first, at], outputs: ["y"], inputs: tensors)
            } throws: { error in
                guard case .node(_, _, .missingInput(1))? = error as? ExecutionError else { return false }
                return true
            }
        }
    }

    @Test(arguments: [0, 1, -1])
    func `what is split can be joined again`(_ axis: Int) throws {
        let x = try Tensor((0..<24).map { Float($0) }, shape: [4, 6])
        let splits: [Tensor?] = [
            nil, index(2), index(5), index(99), try Tensor([Int64(1), 0, 3], shape: [3]),
        ]
        for split in splits {
            let nodes = [
                Node(
                    "SplitToSequence",
                    inputs: split == nil ? ["x"] : ["x", "n"],
                    outputs: ["s"],
                    attributes: [Attribute("axis", .int(Int64(axis)))]
                ),
                Node(
                    "ConcatFromSequence",
                    inputs: ["s"],
                    outputs: ["y"],
                    attributes: [Attribute("axis", .int(Int64(axis)))]
                ),
            ]
            // 1 + 0 + 3 fits the first axis only.
            if split?.shape.rank == 1 && axis != 0 { continue }
            let constants = split.map { ["n": $0] } ?? [:]
            #expect(try run(nodes, outputs: ["y"], constants: constants, inputs: ["x": x]) == [.tensor(x)])
        }
        let dropped = [
            Node(
                "SplitToSequence",
                inputs: ["x"],
                outputs: ["s"],
                attributes: [Attribute("axis", .int(Int64(axis))), Attribute("keepdims", .int(0))]
            ),
            Node(
                "ConcatFromSequence",
                inputs: ["s"],
                outputs: ["y"],
                attributes: [Attribute("axis", .int(Int64(axis))), Attribute("new_axis", .int(1))]
            ),
        ]
        #expect(try run(dropped, outputs: ["y"], inputs: ["x": x]) == [.tensor(x)])
    }

    @Test func `sizes that do not fit are errors`() throws {
        let x = Tensor(repeating: Float(1), shape: [4])
        let bad = [
            index(0), index(-1), index(.min), try Tensor([Int64(1), 2], shape: [2]),
            try Tensor([Int64(5)], shape: [1]), try Tensor([Int64.max, .max], shape: [2]),
            try Tensor([Int64(-1), 5], shape: [2]),
        ]
        for split in bad {
            let node = Node("SplitToSequence", inputs: ["x", "n"], outputs: ["s"])
            #expect(throws: ExecutionError.self) {
                try run([node], outputs: ["s"], constants: ["n": split], inputs: ["x": x])
            }
        }
        let joined = [
            abc,
            Node(
                "ConcatFromSequence",
                inputs: ["s"],
                outputs: ["y"],
                attributes: [Attribute("axis", .int(0))]
            ),
        ]
        #expect(throws: ExecutionError.self) { try run(joined, outputs: ["y"], inputs: tensors) }
    }

    @Test func `a sequence where a tensor must be is an error that names both`() throws {
        let nodes = [abc, Node("Relu", name: "relu", inputs: ["s"], outputs: ["y"])]
        #expect(throws: ExecutionError.self) { try run(nodes, outputs: ["y"], inputs: tensors) }
        let length = Node("SequenceLength", inputs: ["a"], outputs: ["n"])
        #expect {
            try run([abc, length], outputs: ["n", "s"], inputs: tensors)
        } throws: { error in
            guard case .node(_, _, .inputKind(input: 0, _, _))? = error as? ExecutionError else {
                return false
            }
            return "\(error)".contains("a sequence")
        }
        let plan = try ExecutionPlan(
            Model(
                graph: graph(
                    [Node("SequenceConstruct", inputs: ["a"], outputs: ["s"])],
                    inputs: [ValueInfo("a", elementType: .float32, dimensions: nil)],
                    outputs: ["s"]
                ),
                opsetImports: ["": 18]
            )
        )
        #expect(throws: ExecutionError.outputIsNoTensor("s")) { try plan.run(["a": a]) }
        #expect(throws: ExecutionError.self) { try plan.run(values: ["a": .sequence([])]) }
        #expect(throws: ExecutionError.self) { try plan.run(values: ["a": .none]) }
    }

    private func value(_ name: String, _ type: ElementType = .float32) -> ValueInfo {
        ValueInfo(name, elementType: type, dimensions: nil)
    }

    @Test(arguments: [0, 1, 5])
    func `a loop hands a sequence on from step to step`(_ count: Int) throws {
        let body = Graph(
            name: "body",
            nodes: [
                Node("Identity", inputs: ["go"], outputs: ["goes"]),
                Node("Add", inputs: ["x", "v"], outputs: ["w"]),
                Node("SequenceInsert", inputs: ["s", "w"], outputs: ["t"]),
            ],
            inputs: [value("i", .int64), value("go", .bool), value("v"), value("s")],
            outputs: [value("goes", .bool), value("w"), value("t"), value("w")]
        )
        let nodes = [
            Node("SequenceEmpty", inputs: [], outputs: ["start"]),
            Node(
                "Loop",
                inputs: ["n", "", "x", "start"],
                outputs: ["last", "all", "stacked"],
                attributes: [Attribute("body", .graph(body))]
            ),
        ]
        let x = Tensor(repeating: Float(1), shape: [2])
        let result = try run(
            nodes,
            outputs: ["last", "all"],
            constants: ["n": index(count)],
            inputs: ["x": x]
        )
        let expected = (0..<count).map { Tensor(repeating: Float($0 + 2), shape: [2]) }
        #expect(result == [.tensor(expected.last ?? x), .sequence(expected)])
    }

    @Test func `a branch gives a sequence or nothing, and both can be told apart`() throws {
        let full = Graph(
            name: "full",
            nodes: [Node("Optional", inputs: ["s"], outputs: ["o"])],
            outputs: [value("o")]
        )
        let empty = Graph(
            name: "empty",
            nodes: [Node("Optional", inputs: [], outputs: ["e"])],
            outputs: [value("e")]
        )
        let choose = Node(
            "If",
            inputs: ["flag"],
            outputs: ["chosen"],
            attributes: [Attribute("then_branch", .graph(full)), Attribute("else_branch", .graph(empty))]
        )
        let has = Node("OptionalHasElement", inputs: ["chosen"], outputs: ["has"])
        let get = Node("OptionalGetElement", inputs: ["chosen"], outputs: ["got"])
        for flag in [true, false] {
            let inputs = tensors.merging(["flag": Tensor(scalar: flag)]) { $1 }
            let result = try run([abc, choose, has], outputs: ["chosen", "has"], inputs: inputs)
            #expect(result == [flag ? .sequence([a, b, c]) : .none, .tensor(Tensor(scalar: flag))])
            let got = Result { try run([abc, choose, get], outputs: ["got"], inputs: inputs) }
            if flag {
                #expect(try got.get() == [.sequence([a, b, c])])
            } else {
                #expect(throws: ExecutionError.self) { try got.get() }
            }
        }
    }

    @Test func `a function over a sequence sees each tensor once, and the others whole`() throws {
        let body = Graph(
            name: "body",
            nodes: [
                Node("Add", inputs: ["e", "w"], outputs: ["sum"]),
                Node("Mul", inputs: ["sum", "f"], outputs: ["p"]),
            ],
            inputs: [value("e"), value("f"), value("w")],
            outputs: [value("sum"), value("p")]
        )
        let nodes = [
            Node("SequenceConstruct", inputs: ["a", "a2"], outputs: ["s"]),
            Node("SequenceConstruct", inputs: ["a2", "a"], outputs: ["r"]),
            Node(
                "SequenceMap",
                inputs: ["s", "r", "one"],
                outputs: ["sums", "products"],
                attributes: [Attribute("body", .graph(body))]
            ),
        ]
        let two = Tensor(repeating: Float(2), shape: [2])
        let result = try run(
            nodes,
            outputs: ["sums", "products"],
            inputs: ["a": a, "a2": two, "one": Tensor(scalar: Float(1))]
        )
        func filled(_ value: Float) -> Tensor { Tensor(repeating: value, shape: [2]) }
        #expect(result == [.sequence([filled(2), filled(3)]), .sequence([filled(4), filled(3)])])
    }
}
