import ONNXGraph
import TensorCore
import Testing

@testable import Inference

/// Strings: what moves elements moves them like numbers, and what makes them stays within bounds.
struct StringOperatorTests {
    private func constant(_ values: [String], _ output: String) -> Node {
        Node(
            "Constant",
            inputs: [],
            outputs: [output],
            attributes: [Attribute("value_strings", .strings(values))]
        )
    }

    private func run(
        _ nodes: [Node],
        outputs: [String] = ["y"],
        constants: [String: Tensor] = [:],
        opset: Int = 20
    ) throws -> [Value] {
        let graph = Graph(
            name: "strings",
            nodes: nodes,
            initializers: constants.sorted { $0.key < $1.key }.map { Initializer($0.key, $0.value) },
            outputs: outputs.map { ValueInfo($0, elementType: .float32, dimensions: nil) }
        )
        return try ExecutionPlan(Model(graph: graph, opsetImports: ["": opset])).run(values: [:])
    }

    private func indices(_ values: [Int64]) throws -> Tensor { try Tensor(values, shape: [values.count]) }

    private func strings(_ values: [String], _ shape: Shape) throws -> Value {
        .strings(try StringTensor(values, shape: shape))
    }

    private func node(_ type: String, _ inputs: [String], _ attributes: [Attribute] = []) -> Node {
        Node(type, inputs: inputs, outputs: ["y"], attributes: attributes)
    }

    private let words = ["delta", "alpha", "", "alpha", "ζ", "beta"]

    @Test func `views, parts and copies of strings are those of numbers`() throws {
        let x = constant(words, "x")
        let shape = try indices([2, 3])
        #expect(try run([x, node("Identity", ["x"])]) == [strings(words, [6])])
        #expect(
            try run([x, node("Reshape", ["x", "n"])], constants: ["n": shape]) == [strings(words, [2, 3])]
        )
        let order = try indices([5, -1, 0])
        let gathered = try run([x, node("Gather", ["x", "n"])], constants: ["n": order])
        #expect(try gathered == [strings(["beta", "beta", "delta"], [3])])
        let joined = try run([
            x, constant(["new"], "z"), node("Concat", ["x", "z"], [Attribute("axis", .int(0))]),
        ])
        #expect(try joined == [strings(words + ["new"], [7])])
        let turned = try run(
            [
                x, Node("Reshape", inputs: ["x", "n"], outputs: ["m"]), node("Transpose", ["m"]),
            ],
            constants: ["n": shape]
        )
        #expect(try turned == [strings(["delta", "alpha", "alpha", "ζ", "", "beta"], [3, 2])])
        #expect(try run([x, node("Shape", ["x"])]) == [.tensor(indices([6]))])
    }

    @Test func `strings are equal exactly if their letters are`() throws {
        let other = ["delta", "Alpha", "", "alpha ", "ζ", "b"]
        let result = try run([constant(words, "a"), constant(other, "b"), node("Equal", ["a", "b"])])
        #expect(result == [.tensor(try Tensor([true, false, true, false, true, false], shape: [6]))])
        let chosen = try run([
            constant(words, "a"), constant(other, "b"), Node("Equal", inputs: ["a", "b"], outputs: ["e"]),
            node("Where", ["e", "a", "b"]),
        ])
        #expect(try chosen == [strings(other, [6])])
    }

    @Test func `numbers that become text and numbers again are the same`() throws {
        let numbers = try Tensor([Float(0.1), -3, 1e-20, .infinity, 3e30, 0], shape: [6])
        let nodes = [
            Node("Cast", inputs: ["x"], outputs: ["t"], attributes: [Attribute("to", .int(8))]),
            node("Cast", ["t"], [Attribute("to", .int(1))]),
        ]
        #expect(try run(nodes, constants: ["x": numbers]) == [.tensor(numbers)])
        for bad in ["", "one", "0x10", "1.5.2"] {
            #expect(throws: ExecutionError.self) {
                try run([constant([bad], "t"), node("Cast", ["t"], [Attribute("to", .int(1))])])
            }
        }
        let whole = try run([constant(["-7", "12"], "t"), node("Cast", ["t"], [Attribute("to", .int(7))])])
        #expect(try whole == [.tensor(indices([-7, 12]))])
    }

    @Test func `what is joined with a delimiter splits at it again`() throws {
        let result = try run(
            [
                constant(["a,b,,c", "", ",", "x"], "x"),
                Node(
                    "StringSplit",
                    inputs: ["x"],
                    outputs: ["y", "n"],
                    attributes: [Attribute("delimiter", .string(","))]
                ),
            ],
            outputs: ["y", "n"]
        )
        let expected = ["a", "b", "", "c", "", "", "", "", "", "", "", "", "x", "", "", ""]
        #expect(try result == [strings(expected, [4, 4]), .tensor(indices([4, 0, 2, 1]))])
    }

    @Test func `strings that double without end stop at a limit`() throws {
        let body = Graph(
            name: "body",
            nodes: [
                Node("Identity", inputs: ["go"], outputs: ["goes"]),
                Node("StringConcat", inputs: ["s", "s"], outputs: ["t"]),
            ],
            inputs: ["i", "go", "s"].map { ValueInfo($0, elementType: .float32, dimensions: nil) },
            outputs: ["goes", "t"].map { ValueInfo($0, elementType: .float32, dimensions: nil) }
        )
        let loop = Node(
            "Loop",
            inputs: ["", "", "x"],
            outputs: ["y"],
            attributes: [Attribute("body", .graph(body))]
        )
        #expect {
            try run([constant(["ab"], "x"), loop])
        } throws: { error in
            guard case .node(let path, _, .stringsTooLarge)? = error as? ExecutionError else { return false }
            return "\(path)".hasSuffix("StringConcat#1")
        }
    }

    @Test func `strings where numbers must be are an error`() throws {
        for type in ["Relu", "SequenceLength", "Sqrt", "NonZero"] {
            #expect(throws: (any Error).self) { try run([constant(["a"], "x"), node(type, ["x"])]) }
        }
        #expect(throws: ExecutionError.self) {
            try run(
                [constant(["a"], "x"), node("Concat", ["x", "n"], [Attribute("axis", .int(0))])],
                constants: ["n": indices([1])]
            )
        }
    }
}
