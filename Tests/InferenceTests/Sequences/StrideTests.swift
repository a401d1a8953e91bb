import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Outputs with another number of positions than their sequence.
struct StrideTests {
    /// `conv` [B, 1, ceil(L / 2)]: every other position, times 2; `last` [B, 1]: the sum of all.
    private func model() throws -> SequenceModel {
        let conv = Node(
            "Conv",
            inputs: ["masked", "w"],
            outputs: ["half"],
            attributes: [Attribute("strides", .ints([2]))]
        )
        let sum = Node(
            "ReduceSum",
            inputs: ["masked", "axes"],
            outputs: ["total"],
            attributes: [Attribute("keepdims", .int(0))]
        )
        let time = Dimension.symbol("time")
        let graph = Graph(
            name: "stride",
            nodes: [Node("Mul", inputs: ["x", "mask"], outputs: ["masked"]), conv, sum],
            initializers: [
                Initializer("w", try Tensor([Float(2)], shape: [1, 1, 1])),
                Initializer("axes", try Tensor([Int64(2)], shape: [1])),
            ],
            inputs: [
                ValueInfo("x", elementType: .float32, dimensions: [.symbol("batch"), .fixed(1), time]),
                ValueInfo("mask", elementType: .float32, dimensions: [.symbol("batch"), .fixed(1), time]),
            ],
            outputs: [
                ValueInfo(
                    "half",
                    elementType: .float32,
                    dimensions: [.symbol("batch"), .fixed(1), .symbol("positions")]
                ),
                ValueInfo("total", elementType: .float32, dimensions: [.symbol("batch"), .fixed(1)]),
            ]
        )
        return try SequenceModel(model: Model(graph: graph, opsetImports: ["": 17]))
    }

    /// Sequences of some lengths that count from 1 on.
    private func batch(_ lengths: [Int]) throws -> SequenceBatch {
        let values = lengths.flatMap { (1...$0).map { Float($0) } }
        return try SequenceBatch(
            rows: Tensor(values, shape: Shape(checking: [values.count, 1])),
            lengths: lengths
        )
    }

    @Test(
        arguments: [[5], [4, 4], [5, 2, 1, 4, 2], [1, 2, 3, 4, 5, 6, 7], [9, 1, 9]],
        Batching.allCases
    )
    func `each sequence gets the positions it has alone`(_ lengths: [Int], _ batching: Batching) throws {
        let executor = try model().executor(for: .outputs(["half", "total"]), batching: batching)
        let outputs = try executor.run(batch(lengths))
        #expect(outputs[0].lengths == lengths.map { ($0 + 1) / 2 })
        let expected = lengths.flatMap { stride(from: 1, through: $0, by: 2).map { Float(2 * $0) } }
        #expect(outputs[0].rows.array(of: Float.self) == expected)
        #expect(outputs[1].lengths == nil)
        #expect(outputs[1].rows.array(of: Float.self) == lengths.map { Float($0 * ($0 + 1) / 2) })
    }
}
