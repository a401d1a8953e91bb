import ONNXGraph
import TensorCore
import Testing

@testable import Inference

struct SliceTests {
    private func slice(_ count: Int, _ start: Int64, _ end: Int64, _ step: Int64) throws -> [Int64] {
        let constants = try [("s", start), ("e", end), ("a", 0), ("t", step)].map { name, value in
            Initializer(name, try Tensor([value], shape: [1]))
        }
        let graph = Graph(
            name: "test",
            nodes: [Node("Slice", inputs: ["x", "s", "e", "a", "t"], outputs: ["y"])],
            initializers: constants,
            inputs: [ValueInfo("x", elementType: .int64, dimensions: nil)],
            outputs: [ValueInfo("y", elementType: .int64, dimensions: nil)]
        )
        let x = try Tensor((0..<count).map { Int64($0) }, shape: Shape(checking: [count]))
        return try ExecutionPlan(Model(graph: graph, opsetImports: ["": 13])).run(["x": x])[0].array()
    }

    @Test func `going back, a start before the first element is the first`() throws {
        #expect(try slice(3, .min, .min, -2) == [0])
        #expect(try slice(3, -4, -10, -1) == [0])
    }

    @Test func `bounds are clamped as the spec says, in both directions`() throws {
        for count in 0...4 {
            for start in Int64(-6)...6 {
                for end in Int64(-6)...6 {
                    for step in [Int64(-3), -2, -1, 1, 2, 3] {
                        #expect(try slice(count, start, end, step) == Self.steps(count, start, end, step))
                    }
                }
            }
        }
    }

    /// The spec's words, element by element.
    private static func steps(_ count: Int, _ start: Int64, _ end: Int64, _ step: Int64) -> [Int64] {
        guard count > 0 else { return [] }
        let length = Int64(count)
        func adjusted(_ bound: Int64) -> Int64 { bound < 0 ? bound + length : bound }
        let first = min(max(adjusted(start), 0), step > 0 ? length : length - 1)
        let last = min(max(adjusted(end), step > 0 ? 0 : -1), step > 0 ? length : length - 1)
        return Array(stride(from: first, to: last, by: Int64.Stride(step)))
    }
}
