import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// What passes do with rows of constant tables, and with products and sums in the bodies of Scans.
struct TablePassTests {
    private let constants: [String: Tensor]

    init() throws {
        func tensor(_ values: [Float], _ shape: Shape) throws -> Tensor { try Tensor(values, shape: shape) }
        constants = [
            "means": try tensor([1, -2, 3, 0.5, 7, -1], [3, 2]),
            "squares": try tensor([1, 2, 0.3, 4, 5, 6], [3, 2]), "short": try tensor([1, 2, 3, 4], [2, 2]),
            "far": try tensor([9000, 1, 1, 1, 1, 1], [3, 2]),
            "zero": try tensor([1, 0, 1, 1, 1, 1], [3, 2]),
            "row": try tensor([3, 5], [2]), "wide": try tensor([3, 5], [1, 2]),
            "column": try tensor([3, 5, 7], [3, 1]), "half": Tensor(scalar: Float(0.5)),
            "doubles": try Tensor([1.0, 2.0], shape: [1, 2]),
        ]
    }

    private func node(_ type: String, _ inputs: [String], _ output: String = "y") -> Node {
        Node(type, inputs: inputs, outputs: [output])
    }

    private func lookup(_ table: String, _ output: String, _ index: String = "i") -> Node {
        node("Gather", [table, index], output)
    }

    private func graph(
        _ nodes: [Node],
        outputs: [String] = ["y"],
        isScanBody: Bool = true
    ) throws -> PlanGraph {
        var graph = try planGraph(
            nodes,
            constants,
            inputs: [("x", .float32), ("v", .float32), ("i", .int64), ("j", .int64)],
            outputs: outputs
        )
        graph.isScanBody = isScanBody
        return graph
    }

    /// The only output for every row of the tables, by the graph with its passes and without.
    private func results(_ nodes: [Node]) throws -> (folded: [Tensor], written: [Tensor], count: Int) {
        var folded = try graph(nodes)
        PlannerPasses.run(on: &folded)
        var all: [[Tensor]] = []
        for graph in [folded, try graph(nodes)] {
            let program = Program(graph)
            var outputs: [Tensor] = []
            for row in 0..<3 {
                var budget = RunBudget(.standard)
                let output = try withUnsafeMutablePointer(to: &budget) { budget in
                    let frame = Frame(for: program, budget)
                    frame.set(program.inputs[0], to: try Tensor([Float(0.3), -2, 5, 11], shape: [2, 2]))
                    frame.set(program.inputs[1], to: try Tensor([Float(1), 3, -4, 0.1], shape: [2, 2]))
                    frame.set(program.inputs[2], to: Tensor(scalar: Int64(row)))
                    frame.set(program.inputs[3], to: Tensor(scalar: Int64(0)))
                    try program.run(frame)
                    return program.output(0, from: frame)
                }
                outputs.append(try #require(output))
            }
            all.append(outputs)
        }
        return (all[0], all[1], folded.nodes.count)
    }

    // MARK: TableFolding

    @Test func `an operation on rows of a table is done on the table, unless`() throws {
        typealias Pass = TableFolding
        let rows = lookup("squares", "t")
        #expect(reason(Pass.self, try graph([rows, node("Sqrt", ["t"])], isScanBody: false)) == nil)
        for constant in ["half", "row"] {
            #expect(reason(Pass.self, try graph([rows, node("Add", ["t", constant])])) == nil)
            #expect(reason(Pass.self, try graph([rows, node("Div", [constant, "t"])])) == nil)
        }
        let two = [rows, lookup("means", "u"), node("Mul", ["t", "u"])]
        #expect(reason(Pass.self, try graph(two)) == nil)
        let apart = [rows, lookup("means", "u", "j"), node("Mul", ["t", "u"])]
        #expect(reason(Pass.self, try graph(apart)) == .unsupportedShape)
        let shorter = [rows, lookup("short", "u"), node("Mul", ["t", "u"])]
        #expect(reason(Pass.self, try graph(shorter)) == .unsupportedShape)
        for constant in ["wide", "column"] {
            #expect(reason(Pass.self, try graph([rows, node("Add", ["t", constant])])) == .unsupportedShape)
        }
        #expect(reason(Pass.self, try graph([rows, node("Add", ["t", "x"])])) == .otherOperator)
        #expect(reason(Pass.self, try graph([rows, node("Softmax", ["t"])])) == .otherOperator)
        #expect(reason(Pass.self, try graph([lookup("x", "t"), node("Sqrt", ["t"])])) == .notConstant)
        let shown = try graph([rows, node("Sqrt", ["t"])], outputs: ["y", "t"])
        #expect(reason(Pass.self, shown) == .intermediateIsUsed)
        let doubles = [lookup("doubles", "t"), node("Sqrt", ["t"])]
        #expect(reason(Pass.self, try graph(doubles)) == .unsupportedElementType)
    }

    @Test func `a folded table has the bits of the operations`() throws {
        let (folded, written, count) = try results([
            lookup("squares", "t"), node("Add", ["t", "half"], "e"), node("Sqrt", ["e"], "d"),
            lookup("means", "m"), node("Div", ["m", "d"], "q"), node("Exp", ["q"]),
        ])
        #expect(folded == written)
        #expect(count == 1)
    }

    // MARK: LookupAffine

    private var normalization: [Node] {
        [
            lookup("means", "m"), lookup("squares", "s"), node("Sub", ["x", "m"], "c"),
            node("Div", ["c", "s"]),
        ]
    }

    @Test func `constants and rows of tables become a scale and shift, unless`() throws {
        typealias Pass = LookupAffine
        #expect(reason(Pass.self, try graph(normalization)) == nil)
        #expect(reason(Pass.self, try graph(normalization, isScanBody: false)) == .outsideOfScan)
        let constant = [
            lookup("means", "m"), node("Mul", ["x", "row"], "c"), node("Sub", ["m", "c"]),
        ]
        #expect(reason(Pass.self, try graph(constant)) == nil)
        let alone = [node("Mul", ["x", "row"], "c"), node("Add", ["c", "row"])]
        #expect(reason(Pass.self, try graph(alone)) == .notConstant)
        var other = normalization
        other[1] = lookup("squares", "s", "j")
        #expect(reason(Pass.self, try graph(other)) == .unsupportedShape)
        other[1] = lookup("short", "s")
        #expect(reason(Pass.self, try graph(other)) == .unsupportedShape)
        other[1] = lookup("zero", "s")
        #expect(reason(Pass.self, try graph(other)) == .notFinite)
        other = normalization
        other[0] = lookup("far", "m")
        #expect(reason(Pass.self, try graph(other)) == .wouldCancel)
        #expect(reason(Pass.self, try graph(normalization, outputs: ["y", "c"])) == .intermediateIsUsed)
        // The scale is one table, the shift would be another.
        let missing = [
            lookup("squares", "s"), node("Add", ["x", "row"], "c"), node("Div", ["c", "s"]),
        ]
        #expect(reason(Pass.self, try graph(missing)) == .unsupportedShape)
    }

    @Test func `a normalization by rows of tables is one operation, and so is the sum of two`() throws {
        let tolerance = Tolerance.close(
            absolute: 1e-5,
            relative: 1e-5,
            because: "scale and shift are computed in Double, and rounded once"
        )
        let scaled =
            Array(normalization.dropLast()) + [
                node("Div", ["c", "s"], "n"), node("Mul", ["n", "row"], "r"), node("Add", ["r", "half"]),
            ]
        let one = try results(scaled)
        #expect(one.count == 3)
        let both =
            Array(scaled.dropLast()) + [
                lookup("squares", "m2"), lookup("squares", "s2"), node("Sub", ["v", "m2"], "c2"),
                node("Div", ["c2", "s2"], "n2"), node("Add", ["r", "n2"], "a"), node("Add", ["a", "row"]),
            ]
        let two = try results(both)
        #expect(two.count == 5)
        for (folded, written, _) in [one, two] {
            for (result, other) in zip(folded, written) {
                #expect(tolerance.firstDifference(result, other) == nil)
            }
        }
    }

    // MARK: MultiplyAddFusion

    @Test func `a product and a sum become one operation, unless`() throws {
        typealias Pass = MultiplyAddFusion
        let product = node("Mul", ["x", "v"], "p")
        for operands in [["p", "x"], ["x", "p"]] {
            let nodes = [product, node("Add", operands)]
            #expect(reason(Pass.self, try graph(nodes)) == nil)
            #expect(reason(Pass.self, try graph(nodes, isScanBody: false)) == .outsideOfScan)
            #expect(reason(Pass.self, try graph(nodes, outputs: ["y", "p"])) == .intermediateIsUsed)
        }
        #expect(reason(Pass.self, try graph([product, node("Sub", ["p", "x"])])) == .otherOperator)
        #expect(reason(Pass.self, try graph([node("Add", ["x", "v"])])) == .otherOperator)
    }

    @Test func `a multiply-add broadcasts as the two operations do`() throws {
        let shapes: [Shape] = [[], [1], [3], [2, 3], [2, 1], [4, 1, 3], [1, 2, 1], [4, 2, 3]]
        var budget = RunBudget(.standard)
        func result(_ operands: [Tensor]) throws -> Tensor {
            let outputs = try NodeInputs.evaluate(MultiplyAdd(), operands, outputCount: 1, budget: &budget)
            guard case .one(let result) = outputs else { throw OperatorError.missingInput(0) }
            return result
        }
        func values(_ shape: Shape, _ seed: Int) -> [Int64] {
            (0..<shape.elementCount).map { Int64($0 - seed) }
        }
        for (x, scale) in shapes.flatMap({ x in shapes.map { (x, $0) } }) {
            for shift in shapes {
                let lists = [(x, 1), (scale, 2), (shift, 5)].map { ($0.0, values($0.0, $0.1)) }
                let integers = try result(try lists.map { try Tensor($0.1, shape: $0.0) })
                // Small whole numbers are not rounded.
                let floats = try result(try lists.map { try Tensor($0.1.map { Float($0) }, shape: $0.0) })
                #expect(floats.shape == (try x.broadcast(with: scale).broadcast(with: shift)))
                #expect(floats.shape == integers.shape)
                #expect(floats.array(of: Float.self) == integers.array(of: Int64.self).map { Float($0) })
            }
        }
    }
}
