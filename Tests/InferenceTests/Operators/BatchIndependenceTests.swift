import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Operators whose results for one sequence must have the same bits whatever else is in the batch.
struct BatchIndependenceTests {
    private static func random(_ shape: Shape, _ random: inout SplitMix) -> Tensor {
        Tensor(of: Float.self, shape: shape) { elements in
            for index in elements.indices { elements[index] = Float.random(in: -1...1, using: &random) }
        }
    }

    /// The first output for inputs whose batch is the axis `axis` of `x`, and the outputs for each sample alone.
    private func expectIndependent(
        _ node: Node,
        x: Tensor,
        batchAxis axis: Int,
        outputAxis: Int,
        constants: [String: Tensor]
    ) throws {
        let model = Model(
            graph: Graph(
                name: "g",
                nodes: [node],
                initializers: constants.sorted { $0.key < $1.key }.map { Initializer($0.key, $0.value) },
                inputs: [ValueInfo("x", elementType: .float32, dimensions: nil)],
                outputs: [ValueInfo("y", elementType: .float32, dimensions: nil)]
            ),
            opsetImports: ["": 17]
        )
        let plan = try ExecutionPlan(model)
        let whole = try plan.run(["x": x])[0]
        for sample in 0..<x.shape[axis] {
            let alone = try plan.run(["x": Self.part(x, sample, axis: axis)])[0]
            let expected = try Self.part(whole, sample, axis: outputAxis)
            #expect(alone == expected)
        }
    }

    /// One element of an axis, which stays with length 1.
    private static func part(_ x: Tensor, _ index: Int, axis: Int) throws -> Tensor {
        let outer = x.shape.elementCount(of: 0..<axis)
        let inner = x.shape.elementCount(of: (axis + 1)..<x.shape.rank)
        let values = x.array(of: Float.self)
        var kept: [Float] = []
        for row in 0..<outer {
            let start = (row * x.shape[axis] + index) * inner
            kept += values[start..<start + inner]
        }
        return try Tensor(kept, shape: x.shape.replacing(axis: axis, by: 1))
    }

    @Test(arguments: [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
    func `a recurrent layer`(_ type: String, gates: Int) throws {
        var random = SplitMix(seed: 3)
        for hidden in [1, 5, 17] {
            try expectIndependent(
                Node(
                    type,
                    inputs: ["x", "w", "r", "b"],
                    outputs: ["y"],
                    attributes: [
                        Attribute("hidden_size", .int(Int64(hidden))),
                        Attribute("direction", .string("bidirectional")),
                    ]
                ),
                x: Self.random([7, 6, 4], &random),
                batchAxis: 1,
                outputAxis: 2,
                constants: [
                    "w": Self.random(Shape(checking: [2, gates * hidden, 4]), &random),
                    "r": Self.random(Shape(checking: [2, gates * hidden, hidden]), &random),
                    "b": Self.random(Shape(checking: [2, 2 * gates * hidden]), &random),
                ]
            )
        }
    }

    @Test(arguments: ["Conv", "ConvTranspose"])
    func `a convolution over two axes`(_ type: String) throws {
        var random = SplitMix(seed: 5)
        try expectIndependent(
            Node(type, inputs: ["x", "w"], outputs: ["y"]),
            x: Self.random([5, 3, 6, 7], &random),
            batchAxis: 0,
            outputAxis: 0,
            constants: ["w": Self.random([3, 3, 3, 2], &random)]
        )
    }
}
