import Inference
import TensorCore
import Testing

@testable import Serving

struct BatchOutputsTests {
    @Test(arguments: [[1], [1, 1], [2, 1, 3], [4, 0, 2]])
    func `what is split and joined is the same to the last bit`(counts: [Int]) throws {
        let lengths = (0..<counts.reduce(0, +)).map { $0 % 3 + 1 }
        let outputs = try ProbeExecutor().run(makeBatch(lengths))
        let parts = try BatchOutputs.split(outputs, counts: counts)
        #expect(parts.count == counts.count)
        #expect(same(try BatchOutputs.join(parts), outputs))
    }

    @Test func `each part is what its sequences give alone`() throws {
        let batch = try makeBatch([3, 1, 4, 1, 5])
        let parts = try BatchOutputs.split(ProbeExecutor().run(batch), counts: [2, 1, 2])
        for (part, range) in zip(parts, [0..<2, 2..<3, 3..<5]) {
            #expect(same(part, try ProbeExecutor().run(batch.slice(range))))
        }
    }

    static let misshapen: [SequenceOutput] = [
        SequenceOutput(name: "scalar", rows: Tensor(scalar: Float(1)), lengths: nil),
        SequenceOutput(name: "few rows", rows: Tensor(repeating: Float(1), shape: [2, 1]), lengths: nil),
        SequenceOutput(name: "few lengths", rows: Tensor(repeating: Float(1), shape: [3]), lengths: [1, 2]),
        SequenceOutput(name: "sum", rows: Tensor(repeating: Float(1), shape: [3]), lengths: [1, 2, 3]),
        SequenceOutput(name: "sign", rows: Tensor(repeating: Float(1), shape: [3]), lengths: [4, -2, 1]),
    ]

    @Test(arguments: misshapen.indices)
    func `an output without a part for each sequence is an error, not a trap`(index: Int) {
        let output = Self.misshapen[index]
        let reason = "output '\(output.name)' does not have one part for each sequence"
        #expect(throws: ServingError.executionFailed(reason: reason)) {
            try BatchOutputs.split([output], counts: [1, 2])
        }
    }

    @Test func `outputs that do not fit together are an error`() throws {
        let one = try ProbeExecutor().run(makeBatch([2]))
        let other = FixedExecutor(outputs: [one[0]]).outputs
        #expect(throws: ServingError.self) { try BatchOutputs.join([one, other]) }
        let wide = SequenceOutput(
            name: "sum",
            rows: Tensor(repeating: Float(1), shape: [1, 2]),
            lengths: nil
        )
        #expect(throws: ServingError.self) { try BatchOutputs.join([one, [one[0], wide]]) }
    }
}
