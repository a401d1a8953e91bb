import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// A scale and shift after a Gemm become part of it, whatever its attributes are.
struct GemmFoldingTests {
    private static let tolerance = Tolerance.close(absolute: 1e-5, because: "sums of a few small numbers")

    struct Form: Sendable, CustomTestStringConvertible {
        let attributes: [String: Attribute.Value]
        let addend: [Float]?
        let after: String

        var testDescription: String { "\(after), addend \(addend ?? []), \(attributes.keys.sorted())" }
    }

    static let forms: [Form] = {
        let transposed: [[String]] = [[], ["transB"], ["transA"], ["transA", "transB"]]
        let addends: [[Float]?] = [nil, [0.5], [0.5, -1, 2]]
        var forms: [Form] = []
        for names in transposed {
            var attributes: [String: Attribute.Value] = ["alpha": .float(0.5), "beta": .float(3)]
            for name in names { attributes[name] = .int(1) }
            for addend in addends {
                for after in ["Mul", "Add", "Sub", "BatchNormalization"] {
                    forms.append(Form(attributes: attributes, addend: addend, after: after))
                }
            }
        }
        return forms
    }()

    /// A Gemm with its follower, `b` [2, 3] or transposed.
    private func model(_ form: Form, follower: Bool) throws -> Model {
        let isTransposed = form.attributes["transB"] != nil
        var constants = [
            Initializer("b", try Tensor((1...6).map { Float($0) }, shape: isTransposed ? [3, 2] : [2, 3])),
            Initializer("p", try Tensor([Float(2), -1, 0.25], shape: [3])),
            Initializer("q", try Tensor([Float(1), 4, 9], shape: [3])),
        ]
        if let addend = form.addend {
            constants.append(Initializer("c", try Tensor(addend, shape: Shape(checking: [addend.count]))))
        }
        let attributes = form.attributes.sorted { $0.key < $1.key }.map { Attribute($0.key, $0.value) }
        let gemm = Node(
            "Gemm",
            inputs: ["x", "b"] + (form.addend == nil ? [] : ["c"]),
            outputs: ["t"],
            attributes: attributes
        )
        let parameters = form.after == "BatchNormalization" ? ["p", "p", "p", "q"] : ["p"]
        let after = Node(form.after, inputs: ["t"] + parameters, outputs: ["y"])
        return Model(
            graph: Graph(
                name: "g",
                nodes: follower ? [gemm, after] : [gemm],
                initializers: constants,
                inputs: [ValueInfo("x", elementType: .float32, dimensions: nil)],
                outputs: [ValueInfo(follower ? "y" : "t", elementType: .float32, dimensions: nil)]
            ),
            opsetImports: ["": 17]
        )
    }

    private func after(_ form: Form, _ value: Double, _ column: Int) -> Double {
        let p = [2, -1, 0.25][column]
        let q = [1.0, 4, 9][column]
        return switch form.after {
        case "Mul": value * p
        case "Add": value + p
        case "Sub": value - p
        default: p * (value - p) / (q + 1e-5).squareRoot() + p
        }
    }

    @Test(arguments: forms)
    func `one node is left, and it gives what both gave`(_ form: Form) throws {
        let x = try Tensor([Float(1), 2, -3, 0.5], shape: [2, 2])
        let alone = try ExecutionPlan(model(form, follower: false)).run(["x": x])[0]
        let plan = try ExecutionPlan(model(form, follower: true))
        #expect(plan.operatorTypes.count == 1)
        let expected = alone.array(of: Float.self).enumerated().map {
            Float(after(form, Double($1), $0 % 3))
        }
        let y = try plan.run(["x": x])[0]
        #expect(Self.tolerance.firstDifference(y, try Tensor(expected, shape: [2, 3])) == nil)
    }
}
