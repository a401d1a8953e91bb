import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Scan of opset 8, whose inputs have a batch axis, against a slow sum written out.
struct BatchedScanTests {
    private func value(_ name: String) -> ValueInfo {
        ValueInfo(name, elementType: .float32, dimensions: nil)
    }

    private func plan(direction: Int, withLengths: Bool) throws -> ExecutionPlan {
        let body = Graph(
            name: "body",
            nodes: [
                Node("Mul", inputs: ["s", "half"], outputs: ["h"]),
                Node("Add", inputs: ["h", "x"], outputs: ["t"]),
                Node("Identity", inputs: ["t"], outputs: ["u"]),
            ],
            inputs: [value("s"), value("x")],
            outputs: [value("t"), value("u")]
        )
        let scan = Node(
            "Scan",
            name: "scan",
            inputs: [withLengths ? "lengths" : "", "start", "rows"],
            outputs: ["last", "all"],
            attributes: [
                Attribute("body", .graph(body)), Attribute("num_scan_inputs", .int(1)),
                Attribute("directions", .ints([Int64(direction)])),
            ]
        )
        let lengths = ValueInfo("lengths", elementType: .int64, dimensions: nil)
        let graph = Graph(
            name: "scan8",
            nodes: [scan],
            initializers: [Initializer("half", Tensor(scalar: Float(0.5)))],
            inputs: (withLengths ? [lengths] : []) + [value("start"), value("rows")],
            outputs: [value("last"), value("all")]
        )
        return try ExecutionPlan(Model(graph: graph, opsetImports: ["": 8]))
    }

    private func rows(_ batch: Int, _ length: Int) throws -> Tensor {
        var random = SplitMix(seed: 3)
        let values = (0..<batch * length * 2).map { _ in Float.random(in: -1...1, using: &random) }
        return try Tensor(values, shape: [batch, length, 2])
    }

    @Test(arguments: [[4, 4, 4], [1, 4, 2], [0, 3, 4], [2, 0, 0], [0, 0, 0]], [0, 1])
    func `every sequence is scanned over its own length, and what is behind is zero`(
        _ lengths: [Int],
        _ direction: Int
    ) throws {
        let x = try rows(3, 4)
        let start = try Tensor([Float(1), 2, 3, 4, 5, 6], shape: [3, 2])
        let result = try plan(direction: direction, withLengths: true).run([
            "lengths": try Tensor(lengths.map { Int64($0) }, shape: [3]), "start": start, "rows": x,
        ])
        let source = x.array(of: Float.self)
        var last = start.array(of: Float.self)
        var all = [Float](repeating: 0, count: source.count)
        for (sequence, length) in lengths.enumerated() {
            for step in 0..<length {
                let read = direction == 1 ? length - 1 - step : step
                for feature in 0..<2 {
                    let state = sequence * 2 + feature
                    last[state] = last[state] * 0.5 + source[(sequence * 4 + read) * 2 + feature]
                    all[(sequence * 4 + step) * 2 + feature] = last[state]
                }
            }
        }
        #expect(result == [try Tensor(last, shape: [3, 2]), try Tensor(all, shape: [3, 4, 2])])
    }

    @Test func `without lengths every sequence is as long as the axis`() throws {
        let x = try rows(2, 3)
        let start = Tensor(repeating: Float(0), shape: [2, 2])
        let full = try Tensor([Int64(3), 3], shape: [2])
        let given = try plan(direction: 0, withLengths: true)
            .run(["lengths": full, "start": start, "rows": x])
        #expect(try plan(direction: 0, withLengths: false).run(["start": start, "rows": x]) == given)
    }

    @Test func `lengths, batches and ranks that do not fit are errors`() throws {
        let plan = try plan(direction: 0, withLengths: true)
        let start = Tensor(repeating: Float(0), shape: [2, 2])
        let x = try rows(2, 3)
        func expectError(_ lengths: [Int64], _ start: Tensor, _ rows: Tensor) throws {
            let lengths = try Tensor(lengths, shape: [lengths.count])
            #expect(throws: ExecutionError.self) {
                try plan.run(["lengths": lengths, "start": start, "rows": rows])
            }
        }
        try expectError([3, 4], start, x)
        try expectError([3, -1], start, x)
        try expectError([3], start, x)
        try expectError([3, 3], Tensor(repeating: 0, shape: [3, 2]), x)
        try expectError([3, 3], Tensor(scalar: Float(0)), x)
        try expectError([3, 3], start, Tensor(repeating: Float(0), shape: [2]))
        try expectError(
            [],
            Tensor(repeating: Float(0), shape: [0, 2]),
            Tensor(repeating: Float(0), shape: [0, 3, 2])
        )
    }
}
