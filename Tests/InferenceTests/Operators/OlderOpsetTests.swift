import Foundation
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// What older opsets write as attributes, each with the result worked out by hand.
struct OlderOpsetTests {
    private static let tolerance = Tolerance.close(absolute: 1e-6, because: "exponentials in float32")

    /// The outputs of one node with the input `x` and constants for further inputs.
    private func run(
        _ type: String,
        opset: Int,
        _ x: Tensor,
        constants: [Tensor] = [],
        outputs: Int = 1,
        _ attributes: [String: Attribute.Value] = [:]
    ) throws -> [Tensor] {
        let names = constants.indices.map { "c\($0)" }
        let results = (0..<outputs).map { "y\($0)" }
        let node = Node(
            type,
            name: "node",
            inputs: ["x"] + names,
            outputs: results,
            attributes: attributes.sorted { $0.key < $1.key }.map { Attribute($0.key, $0.value) }
        )
        let graph = Graph(
            name: "one",
            nodes: [node],
            initializers: zip(names, constants).map { Initializer($0, $1) },
            inputs: [ValueInfo("x", elementType: x.elementType, dimensions: nil)],
            outputs: results.map { ValueInfo($0, elementType: .float32, dimensions: nil) }
        )
        return try ExecutionPlan(Model(graph: graph, opsetImports: ["": opset])).run(["x": x])
    }

    private func floats(_ values: [Float], _ shape: Shape) throws -> Tensor {
        try Tensor(values, shape: shape)
    }

    @Test(arguments: [7, 11, 12])
    func `axes of ReduceSum are an attribute before opset 13`(_ opset: Int) throws {
        let x = try floats([1, 2, 3, 4], [2, 2])
        let rows = try run("ReduceSum", opset: opset, x, ["axes": .ints([1]), "keepdims": .int(0)])
        #expect(rows == [try floats([3, 7], [2])])
        let kept = try run("ReduceSum", opset: opset, x, ["axes": .ints([0])])
        #expect(kept == [try floats([4, 6], [1, 2])])
        #expect(try run("ReduceSum", opset: opset, x) == [floats([10], [1, 1])])
        let negative = try run("ReduceSum", opset: opset, x, ["axes": .ints([-2]), "keepdims": .int(0)])
        #expect(negative == [try floats([4, 6], [2])])
    }

    @Test func `ReduceL2 of integers drops the fraction, whichever axes there are`() throws {
        let x = try Tensor([Int64(1), -1, 3, 4], shape: [2, 2])
        #expect(
            try run("ReduceL2", opset: 13, x, ["axes": .ints([1])]) == [
                Tensor([Int64(1), 5], shape: [2, 1])
            ]
        )
        #expect(try run("ReduceL2", opset: 13, x) == [Tensor([Int64(5)], shape: [1, 1])])
        let scalar = try Tensor([Int8(-7)], shape: Shape(checking: []))
        #expect(try run("ReduceL2", opset: 13, scalar) == [Tensor([Int8(7)], shape: Shape(checking: []))])
        let flag = try Tensor([true], shape: Shape(checking: []))
        #expect(throws: (any Error).self) { try run("ReduceL2", opset: 13, flag) }
    }

    @Test(arguments: [7, 13, 17])
    func `axes of ReduceMean and ReduceMax are an attribute before opset 18`(_ opset: Int) throws {
        let x = try floats([1, 2, 3, 6], [2, 2])
        #expect(try run("ReduceMean", opset: opset, x, ["axes": .ints([0])]) == [floats([2, 4], [1, 2])])
        let maximum = try run("ReduceMax", opset: opset, x, ["axes": .ints([1]), "keepdims": .int(0)])
        #expect(maximum == [try floats([2, 6], [2])])
    }

    @Test(arguments: [7, 11, 12])
    func `axes of Squeeze and Unsqueeze are an attribute before opset 13`(_ opset: Int) throws {
        let x = try floats([1, 2], [1, 2, 1])
        #expect(try run("Squeeze", opset: opset, x, ["axes": .ints([0])]) == [floats([1, 2], [2, 1])])
        #expect(try run("Squeeze", opset: opset, x, ["axes": .ints([0, 2])]) == [floats([1, 2], [2])])
        #expect(try run("Squeeze", opset: opset, x) == [floats([1, 2], [2])])
        let flat = try floats([1, 2], [2])
        let wide = try run("Unsqueeze", opset: opset, flat, ["axes": .ints([0, 2])])
        #expect(wide == [try floats([1, 2], [1, 2, 1])])
    }

    @Test(arguments: [7, 11, 12])
    func `sizes of Split are an attribute before opset 13`(_ opset: Int) throws {
        let x = try floats([1, 2, 3, 4, 5, 6], [2, 3])
        let parts = try run(
            "Split",
            opset: opset,
            x,
            outputs: 2,
            ["axis": .int(1), "split": .ints([1, 2])]
        )
        #expect(parts == [try floats([1, 4], [2, 1]), try floats([2, 3, 5, 6], [2, 2])])
        let equal = try run("Split", opset: opset, x, outputs: 2)
        #expect(equal == [try floats([1, 2, 3], [1, 3]), try floats([4, 5, 6], [1, 3])])
    }

    @Test(arguments: [7, 10])
    func `bounds of Clip are attributes before opset 11`(_ opset: Int) throws {
        let x = try floats([-3, 0.5, 9], [3])
        let both = try run("Clip", opset: opset, x, ["min": .float(-1), "max": .float(2)])
        #expect(both == [try floats([-1, 0.5, 2], [3])])
        #expect(try run("Clip", opset: opset, x, ["min": .float(0)]) == [floats([0, 0.5, 9], [3])])
        #expect(try run("Clip", opset: opset, x) == [x])
    }

    @Test func `bounds of Clip are inputs since opset 11`() throws {
        let x = try floats([-3, 0.5, 9], [3])
        let bounds = [Tensor(scalar: Float(-1)), Tensor(scalar: Float(2))]
        #expect(try run("Clip", opset: 11, x, constants: bounds) == [floats([-1, 0.5, 2], [3])])
    }

    @Test(arguments: [7, 10, 11])
    func `the ratio of Dropout is an attribute before opset 12`(_ opset: Int) throws {
        let x = try floats([1, -2], [2])
        #expect(try run("Dropout", opset: opset, x, ["ratio": .float(0.5)]) == [x])
        let masked = try run("Dropout", opset: opset, x, outputs: 2, ["ratio": .float(0.5)])
        // The mask has the type of the input before opset 10, bool since.
        let ones = try opset < 10 ? floats([1, 1], [2]) : Tensor(repeating: true, shape: [2])
        #expect(masked == [x, ones])
    }

    @Test func `ratio and mode of Dropout are inputs since opset 12`() throws {
        let x = try floats([1, -2], [2])
        let inputs = [Tensor(scalar: Float(0.5)), Tensor(scalar: false)]
        #expect(try run("Dropout", opset: 12, x, constants: inputs, ["seed": .int(3)]) == [x])
        #expect(throws: ExecutionError.self) {
            _ = try run("Dropout", opset: 12, x, constants: [inputs[0], Tensor(scalar: true)])
        }
    }

    @Test func `Softmax goes over all axes from one on before opset 13, over one since`() throws {
        let zeros = try floats([0, 0, 0, 0], [1, 2, 2])
        for opset in [7, 11, 12] {
            let whole = try run("Softmax", opset: opset, zeros)
            #expect(whole == [try floats([0.25, 0.25, 0.25, 0.25], [1, 2, 2])])
            let last = try run("Softmax", opset: opset, zeros, ["axis": .int(2)])
            #expect(last == [try floats([0.5, 0.5, 0.5, 0.5], [1, 2, 2])])
            let logarithms = try run("LogSoftmax", opset: opset, zeros)[0]
            let expected = try floats([Float](repeating: -log(4), count: 4), [1, 2, 2])
            #expect(Self.tolerance.firstDifference(logarithms, expected) == nil)
        }
        let x = try floats([0, log(3), 0, log(3)], [1, 2, 2])
        let uneven = try run("Softmax", opset: 12, x)[0]
        let eighths = try floats([0.125, 0.375, 0.125, 0.375], [1, 2, 2])
        #expect(Self.tolerance.firstDifference(uneven, eighths) == nil)
        #expect(try run("Softmax", opset: 13, zeros) == [floats([0.5, 0.5, 0.5, 0.5], [1, 2, 2])])
    }

    @Test(arguments: [7, 9])
    func `bounds of Slice are attributes before opset 10`(_ opset: Int) throws {
        let x = try floats([1, 2, 3, 4, 5, 6], [2, 3])
        let part = try run(
            "Slice",
            opset: opset,
            x,
            ["axes": .ints([1]), "starts": .ints([1]), "ends": .ints([1000])]
        )
        #expect(part == [try floats([2, 3, 5, 6], [2, 2])])
        let corner = try run("Slice", opset: opset, x, ["starts": .ints([1, -3]), "ends": .ints([2, -1])])
        #expect(corner == [try floats([4, 5], [1, 2])])
        #expect(throws: PlanError.self) { _ = try run("Slice", opset: opset, x, ["starts": .ints([0])]) }
    }

    /// Two channels with mean 1 and -1, variance 4 and 9, scale 2 and 3, bias 10 and 20.
    private func statistics() throws -> [Tensor] {
        try [[2, 3], [10, 20], [1, -1], [4, 9]].map { try floats($0, [2]) }
    }

    @Test(arguments: [(7, ["spatial": Attribute.Value.int(1)]), (7, [:]), (9, [:]), (14, [:])])
    func `BatchNormalization of every opset normalizes a channel with its statistics`(
        _ opset: Int,
        _ attributes: [String: Attribute.Value]
    ) throws {
        let x = try floats([3, 1, -1, 2], [1, 2, 2])
        let all = attributes.merging(["epsilon": .float(0), "momentum": .float(0.5)]) { $1 }
        let y = try run("BatchNormalization", opset: opset, x, constants: statistics(), all)[0]
        let expected = try floats([12, 10, 20, 23], [1, 2, 2])
        #expect(Self.tolerance.firstDifference(y, expected) == nil)
    }

    @Test func `statistics for each element and training outputs of old BatchNormalization are refused`()
        throws
    {
        let x = try floats([3, 1, -1, 2], [1, 2, 2])
        for (opset, outputs, attributes) in [
            (7, 1, ["spatial": Attribute.Value.int(0)]), (7, 3, [:]), (9, 5, [:]),
            (9, 1, ["training_mode": .int(1)]), (14, 1, ["spatial": .int(1)]),
        ] as [(Int, Int, [String: Attribute.Value])] {
            #expect(throws: PlanError.self) {
                let constants = try statistics()
                _ = try run(
                    "BatchNormalization",
                    opset: opset,
                    x,
                    constants: constants,
                    outputs: outputs,
                    attributes
                )
            }
        }
    }

    @Test func `an attribute of another opset, or an input, is a load error that names it`() throws {
        let x = try floats([1, 2], [1, 2])
        #expect {
            _ = try run("ReduceSum", opset: 13, x, ["axes": .ints([0])])
        } throws: { error in
            guard case .invalidNode(let path, "ReduceSum", .unknownAttribute("axes"))? = error as? PlanError
            else { return false }
            return path.description == "node"
        }
        let axes = try Tensor([Int64(0)], shape: [1])
        for type in ["ReduceSum", "Squeeze", "Split"] {
            #expect {
                _ = try run(type, opset: 12, x, constants: [axes])
            } throws: { error in
                guard case .invalidNode(_, type, .inputCount(2, allowed: 1...1))? = error as? PlanError else {
                    return false
                }
                return true
            }
        }
    }
}
