import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Why each pass leaves a node alone.
struct PassReasonTests {
    /// A graph as it is before any pass; inputs are `x`, `v` and the integers `n`.
    private func graph(
        _ nodes: [Node],
        _ constants: [String: Tensor] = [:],
        outputs: [String] = ["y"]
    ) throws -> PlanGraph {
        try planGraph(
            nodes,
            constants,
            inputs: [("x", .float32), ("v", .float32), ("n", .int64)],
            outputs: outputs
        )
    }

    private func tensor(_ values: [Float], _ shape: Shape) throws -> Tensor {
        try Tensor(values, shape: shape)
    }

    private func node(_ type: String, _ inputs: [String], _ output: String = "y") -> Node {
        Node(type, inputs: inputs, outputs: [output])
    }

    // MARK: IdentityRemoval

    @Test func `identities and dropouts are removed, unless a mask or a mode that is not known is asked for`()
        throws
    {
        typealias Pass = IdentityRemoval
        #expect(reason(Pass.self, try graph([node("Identity", ["x"])])) == nil)
        #expect(reason(Pass.self, try graph([node("Dropout", ["x"])])) == nil)
        #expect(reason(Pass.self, try graph([node("Relu", ["x"])])) == .otherOperator)
        let masked = Node("Dropout", inputs: ["x"], outputs: ["y", "m"])
        #expect(reason(Pass.self, try graph([masked], outputs: ["y", "m"])) == .unsupportedShape)
        #expect(reason(Pass.self, try graph([node("Dropout", ["x", "", "v"])])) == .notConstant)
        let training = try graph([node("Dropout", ["x", "", "t"])], ["t": Tensor(scalar: true)])
        #expect(reason(Pass.self, training) == .notConstant)
        let inference = try graph([node("Dropout", ["x", "", "t"])], ["t": Tensor(scalar: false)])
        #expect(reason(Pass.self, inference) == nil)
    }

    // MARK: AffineChain

    private func chain(_ first: Node, _ second: Node, _ constants: [String: Tensor]) throws -> NoMatch? {
        reason(AffineChain.self, try graph([first, second], constants))
    }

    @Test func `two affine nodes become one, unless`() throws {
        let two = try tensor([2, 2], [2])
        let constants = ["a": two, "b": two]
        #expect(try chain(node("Mul", ["x", "a"], "t"), node("Add", ["t", "b"]), constants) == nil)
        let unary = node("Relu", ["x"], "t")
        #expect(try chain(unary, node("Add", ["t", "b"]), constants) == .otherOperator)
        #expect(
            try chain(node("Add", ["x", "a"], "t"), node("Relu", ["t"]), constants) == .otherOperator
        )
        #expect(
            try chain(node("Add", ["x", "v"], "t"), node("Add", ["t", "b"]), constants) == .notConstant
        )
        #expect(
            try chain(node("Mul", ["x", "a"], "t"), node("Div", ["b", "t"]), constants) == .otherOperator
        )
        let integers = ["a": try Tensor([Int64(1)], shape: [1])]
        #expect(
            try chain(node("Add", ["n", "a"], "t"), node("Add", ["t", "a"]), integers)
                == .unsupportedElementType
        )
    }

    @Test func `an affine node whose value has other readers stays`() throws {
        let constants = ["a": try tensor([2], [1])]
        let nodes = [node("Mul", ["x", "a"], "t"), node("Add", ["t", "a"])]
        let found = try graph(nodes, constants, outputs: ["y", "t"])
        #expect(reason(AffineChain.self, found) == .intermediateIsUsed)
    }

    @Test func `constants that would grow, cancel or overflow stay apart`() throws {
        let row = try tensor([1, 2, 3], [1, 3])
        let column = try tensor([1, 2], [2, 1])
        #expect(
            try chain(node("Mul", ["x", "a"], "t"), node("Mul", ["t", "b"]), ["a": row, "b": column])
                == .unsupportedShape
        )
        let far = ["a": Tensor(scalar: Float(-5000)), "b": Tensor(scalar: Float(2))]
        #expect(try chain(node("Add", ["x", "a"], "t"), node("Mul", ["t", "b"]), far) == .wouldCancel)
        let zero = ["a": Tensor(scalar: Float(1)), "b": Tensor(scalar: Float(0))]
        #expect(try chain(node("Mul", ["x", "a"], "t"), node("Div", ["t", "b"]), zero) == .notFinite)
    }

    // MARK: AffineIntoWeights

    private func weights() throws -> [String: Tensor] {
        [
            "w": try tensor([1, 2, 3, 4], [2, 2, 1]), "m": try tensor([1, 2, 3, 4], [2, 2]),
            "c": try tensor([3, 5], [2]), "k": try tensor([3, 5], [2, 1]),
            "s": try tensor([1, 1], [2]), "far": try tensor([9000, 1], [2]),
            "tall": try tensor([1, 2, 3, 4, 5, 6], [3, 2]), "d": try Tensor([1.0, 1.0], shape: [2]),
        ]
    }

    private func fold(_ nodes: Node..., outputs: [String] = ["y"]) throws -> NoMatch? {
        reason(AffineIntoWeights.self, try graph(nodes, weights(), outputs: outputs))
    }

    private func normalization(_ parameters: [String] = ["s", "s", "s", "s"]) -> Node {
        node("BatchNormalization", ["t"] + parameters)
    }

    @Test func `scale and shift go into the weights of Conv, MatMul and Gemm`() throws {
        #expect(try fold(node("Conv", ["x", "w"], "t"), node("Mul", ["t", "k"])) == nil)
        #expect(try fold(node("Conv", ["x", "w", "c"], "t"), normalization()) == nil)
        #expect(try fold(node("MatMul", ["x", "m"], "t"), node("Mul", ["t", "c"])) == nil)
        #expect(try fold(node("Gemm", ["x", "m"], "t"), node("Mul", ["t", "c"])) == nil)
        #expect(try fold(node("Gemm", ["x", "m", "c"], "t"), normalization()) == nil)
    }

    @Test func `scale and shift stay where the node before is another or has other readers`() throws {
        #expect(try fold(node("Relu", ["x"], "t"), node("Mul", ["t", "c"])) == .otherOperator)
        #expect(try fold(node("Mul", ["x", "c"])) == .otherOperator)
        #expect(try fold(node("Gemm", ["x", "m"], "t"), node("Relu", ["t"])) == .otherOperator)
        for product in [
            node("Conv", ["x", "w"], "t"), node("MatMul", ["x", "m"], "t"), node("Gemm", ["x", "m"], "t"),
        ] {
            let read = try fold(product, node("Mul", ["t", "k"]), outputs: ["y", "t"])
            #expect(read == .intermediateIsUsed)
        }
    }

    @Test func `scale and shift stay where weights or parameters are not constant`() throws {
        #expect(try fold(node("Conv", ["x", "v"], "t"), node("Mul", ["t", "k"])) == .notConstant)
        #expect(try fold(node("Conv", ["x", "w", "v"], "t"), node("Mul", ["t", "k"])) == .notConstant)
        #expect(try fold(node("MatMul", ["x", "v"], "t"), node("Mul", ["t", "c"])) == .notConstant)
        #expect(try fold(node("Gemm", ["x", "v"], "t"), node("Mul", ["t", "c"])) == .notConstant)
        #expect(try fold(node("Gemm", ["x", "m", "v"], "t"), node("Mul", ["t", "c"])) == .notConstant)
        let open = normalization(["s", "s", "v", "s"])
        #expect(try fold(node("Conv", ["x", "w"], "t"), open) == .notConstant)
    }

    @Test func `scale and shift stay where they are not one number a channel`() throws {
        #expect(try fold(node("Conv", ["x", "w"], "t"), node("Mul", ["t", "c"])) == .unsupportedShape)
        #expect(try fold(node("MatMul", ["x", "m"], "t"), node("Mul", ["t", "k"])) == .unsupportedShape)
        #expect(try fold(node("Gemm", ["x", "m"], "t"), node("Mul", ["t", "k"])) == .unsupportedShape)
        #expect(
            try fold(node("Gemm", ["x", "m", "tall"], "t"), node("Mul", ["t", "c"])) == .unsupportedShape
        )
        #expect(try fold(node("MatMul", ["x", "m"], "t"), normalization()) == .unsupportedShape)
        let doubles = normalization(["s", "s", "s", "d"])
        #expect(try fold(node("Conv", ["x", "w"], "t"), doubles) == .unsupportedElementType)
    }

    @Test func `scale and shift stay where digits would be lost`() throws {
        let far = normalization(["s", "s", "far", "s"])
        #expect(try fold(node("Conv", ["x", "w"], "t"), far) == .wouldCancel)
        #expect(try fold(node("Gemm", ["x", "m"], "t"), node("Add", ["t", "far"])) == .wouldCancel)
    }

    // MARK: ActivationEpilogue

    @Test func `an activation goes into the Conv before it, unless`() throws {
        typealias Pass = ActivationEpilogue
        let conv = node("Conv", ["x", "w"], "t")
        #expect(reason(Pass.self, try graph([conv, node("Relu", ["t"])], weights())) == nil)
        #expect(reason(Pass.self, try graph([node("Relu", ["x"])])) == .otherOperator)
        let product = [node("MatMul", ["x", "m"], "t"), node("Relu", ["t"])]
        #expect(reason(Pass.self, try graph(product, weights())) == .otherOperator)
        #expect(
            reason(Pass.self, try graph([conv, node("Mul", ["t", "k"])], weights())) == .otherOperator
        )
        let read = try graph([conv, node("Relu", ["t"])], weights(), outputs: ["y", "t"])
        #expect(reason(Pass.self, read) == .intermediateIsUsed)
    }

    // MARK: ScanHoisting

    /// A Scan of `x` whose body makes the next state of `h`, `x_t` and, if it is read, `v_t`.
    private func scan(_ body: [Node], directions: [Int64] = [0]) throws -> PlanGraph {
        let names = ["h", "x_t", "v_t"].prefix(directions.count + 1)
        let inner = Graph(
            name: "body",
            nodes: body,
            inputs: names.map { ValueInfo($0, elementType: .float32, dimensions: nil) },
            outputs: [ValueInfo("next", elementType: .float32, dimensions: nil)]
        )
        let node = Node(
            "Scan",
            inputs: ["v"] + ["x", "x"].prefix(directions.count),
            outputs: ["y"],
            attributes: [
                Attribute("body", .graph(inner)), Attribute("num_scan_inputs", .int(Int64(directions.count))),
                Attribute("scan_input_directions", .ints(directions)),
            ]
        )
        return try graph([node], ["w": tensor([1, 2, 3, 4], [2, 2])])
    }

    @Test func `a body runs in place unless a node that needs the state has no form for that`() throws {
        typealias Pass = ScanHoisting
        let sum = node("Add", ["h", "x_t"], "next")
        #expect(reason(Pass.self, try scan([sum])) == nil)
        #expect(reason(Pass.self, try graph([node("Relu", ["x"])])) == .otherOperator)
        // What needs no state may be anything that works for all steps at once.
        let hoisted = [node("Where", ["open", "x_t", "x_t"], "w0"), node("Add", ["h", "w0"], "next")]
        let open = node("Greater", ["x_t", "x_t"], "open")
        #expect(reason(Pass.self, try scan([open] + hoisted)) == nil)
        #expect(reason(Pass.self, try scan([node("Softmax", ["h"], "next")])) == .otherOperator)
        #expect(reason(Pass.self, try scan([node("Pow", ["h", "x_t"], "next")])) == .otherOperator)
        #expect(reason(Pass.self, try scan([node("MatMul", ["h", "w"], "next")])) == nil)
        #expect(reason(Pass.self, try scan([node("MatMul", ["h", "x_t"], "next")])) == .notConstant)
        let two = [node("Add", ["x_t", "v_t"], "s"), node("Add", ["h", "s"], "next")]
        #expect(reason(Pass.self, try scan(two, directions: [1, 1])) == nil)
        #expect(reason(Pass.self, try scan(two, directions: [0, 1])) == .unsupportedShape)
        var done = try scan([sum])
        PlannerPasses.run(on: &done)
        #expect(reason(Pass.self, done) == .otherOperator)
    }

    // MARK: AttentionFusion

    @Test func `scores, softmax and their product with values become one, unless`() throws {
        typealias Pass = AttentionFusion
        let constants = ["c": Tensor(scalar: Float(2)), "w": try tensor([1, 2, 3, 4], [2, 2])]
        let scores = node("MatMul", ["x", "v"], "s")
        let scale = node("Mul", ["s", "c"], "t")
        let last = Attribute("axis", .int(-1))
        let weights = Node("Softmax", inputs: ["t"], outputs: ["p"], attributes: [last])
        let product = node("MatMul", ["p", "x"])
        #expect(reason(Pass.self, try graph([scores, scale, weights, product], constants)) == nil)
        let direct = Node("Softmax", inputs: ["s"], outputs: ["p"], attributes: [last])
        #expect(reason(Pass.self, try graph([scores, direct, product], constants)) == nil)
        #expect(reason(Pass.self, try graph([node("MatMul", ["x", "v"])])) == .otherOperator)
        let first = Node("Softmax", inputs: ["s"], outputs: ["p"], attributes: [Attribute("axis", .int(1))])
        #expect(reason(Pass.self, try graph([scores, first, product])) == .unsupportedShape)
        let shown = try graph([scores, direct, product], constants, outputs: ["y", "p"])
        #expect(reason(Pass.self, shown) == .intermediateIsUsed)
        let varying = node("Mul", ["s", "v"], "t")
        #expect(reason(Pass.self, try graph([scores, varying, weights, product])) == .notConstant)
        let wide = node("Mul", ["s", "w"], "t")
        #expect(
            reason(Pass.self, try graph([scores, wide, weights, product], constants)) == .unsupportedShape
        )
        let fixed = node("MatMul", ["p", "w"])
        #expect(reason(Pass.self, try graph([scores, direct, fixed], constants)) == .unsupportedShape)
        for operands in [["s", "v"], ["v", "s"]] {
            let sum = node("Add", operands, "t")
            #expect(reason(Pass.self, try graph([scores, sum, weights, product])) == nil)
            let both = try graph([scores, sum, weights, product], outputs: ["y", "s"])
            #expect(reason(Pass.self, both) == .otherOperator)
        }
        let scaled = [scores, node("Mul", ["s", "c"], "u"), node("Add", ["v", "u"], "t"), weights, product]
        #expect(reason(Pass.self, try graph(scaled, constants)) == nil)
        let other = [node("Relu", ["x"], "s"), node("Add", ["s", "v"], "t"), weights, product]
        #expect(reason(Pass.self, try graph(other)) == .otherOperator)
    }

    @Test func `masks and biases go with the scores they adjust, unless`() throws {
        typealias Pass = AttentionFusion
        let constants = [
            "c": Tensor(scalar: Float(2)), "zero": Tensor(scalar: Float(0)),
            "minus": Tensor(scalar: -Float(0)), "wide": try tensor([1, 2], [1, 1, 2]),
        ]
        let scores = node("MatMul", ["x", "v"], "s")
        let mask = node("Greater", ["v", "x"], "m")
        let weights = Node(
            "Softmax",
            inputs: ["t"],
            outputs: ["p"],
            attributes: [Attribute("axis", .int(-1))]
        )
        let product = node("MatMul", ["p", "x"])
        func why(_ between: [Node], _ behind: [Node], outputs: [String] = ["y"]) throws -> NoMatch? {
            let graph = try graph([scores, mask] + between + [weights] + behind, constants, outputs: outputs)
            return reason(Pass.self, graph)
        }
        for operands in [["m", "c", "s"], ["m", "s", "c"]] {
            #expect(try why([node("Where", operands, "t")], [product]) == nil)
        }
        #expect(try why([node("Where", ["m", "v", "s"], "t")], [product]) == .notConstant)
        #expect(try why([node("Where", ["m", "s", "wide"], "t")], [product]) == .unsupportedShape)
        let shown = [node("Where", ["m", "c", "s"], "t")]
        #expect(try why(shown, [product], outputs: ["y", "t"]) == .intermediateIsUsed)
        // Up to four in a row, and a scale before them alone.
        func row(_ count: Int) -> [Node] {
            (0..<count).map {
                node("Add", [$0 == 0 ? "s" : "t\($0)", "v"], $0 + 1 == count ? "t" : "t\($0 + 1)")
            }
        }
        #expect(try why(row(4), [product]) == nil)
        #expect(try why(row(5), [product]) == .otherOperator)
        let late = [node("Add", ["s", "v"], "u"), node("Mul", ["u", "c"], "t")]
        #expect(try why(late, [product]) == .otherOperator)

        let plain = [node("Identity", ["s"], "t")]
        let test = node("IsNaN", ["p"], "n")
        func cleaned(_ operands: [String]) -> [Node] {
            [test, node("Where", operands, "q"), node("MatMul", ["q", "x"])]
        }
        let added = [node("Add", ["s", "v"], "t")]
        #expect(try why(added, cleaned(["n", "zero", "p"])) == nil)
        #expect(try why(added, cleaned(["n", "p", "zero"])) == .otherOperator)
        #expect(try why(added, cleaned(["n", "minus", "p"])) == .notConstant)
        #expect(try why(added, cleaned(["m", "zero", "p"])) == .otherOperator)
        #expect(try why(added, cleaned(["n", "zero", "p"]), outputs: ["y", "n"]) == .intermediateIsUsed)
        #expect(try why(plain, cleaned(["n", "zero", "p"])) == .otherOperator)
    }

    // MARK: GeluFusion

    @Test func `a gelu that is written out becomes one function, unless`() throws {
        typealias Pass = GeluFusion
        let constants = [
            "half": Tensor(scalar: Float(0.5)), "one": Tensor(scalar: Float(1)),
            "root": Tensor(scalar: Float(2).squareRoot()), "part": Tensor(scalar: Float(0.5).squareRoot()),
        ]
        let behind = [
            node("Div", ["x", "root"], "r"), node("Erf", ["r"], "e"), node("Add", ["e", "one"], "a"),
            node("Mul", ["x", "a"], "g"), node("Mul", ["g", "half"]),
        ]
        #expect(reason(Pass.self, try graph(behind, constants)) == nil)
        let before = [
            node("Mul", ["x", "half"], "h"), node("Mul", ["x", "part"], "r"), node("Erf", ["r"], "e"),
            node("Add", ["e", "one"], "a"), node("Mul", ["h", "a"]),
        ]
        #expect(reason(Pass.self, try graph(before, constants)) == nil)
        #expect(reason(Pass.self, try graph(before, constants, outputs: ["y", "h"])) == .intermediateIsUsed)
        #expect(reason(Pass.self, try graph(before, constants, outputs: ["y", "e"])) == .otherOperator)
        var other = before
        other[1] = node("Mul", ["x", "half"], "r")
        #expect(reason(Pass.self, try graph(other, constants)) == .otherOperator)
        other = before
        other[0] = node("Mul", ["v", "half"], "h")
        #expect(reason(Pass.self, try graph(other, constants)) == .otherOperator)
    }
}
