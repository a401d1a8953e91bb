import Statistics
import TensorCore
import TestSupport
import Testing

struct MaskedBatchNormTests {
    private let x = Tensor(repeating: Float(1), shape: [2, 3, 4])

    private func norm(_ running: RunningStatistics.Rule? = nil) throws -> MaskedBatchNorm {
        try MaskedBatchNorm(channels: 3, running: running)
    }

    private func expect(
        _ error: MaskedBatchNormError,
        of input: Tensor,
        _ mask: MaskedBatchNorm.Mask = .all,
        location: SourceLocation = #_sourceLocation
    ) throws {
        for running in [nil, RunningStatistics.Rule.onnx(.onnxMomentum(0.9))] {
            var norm = try norm(running)
            let before = norm
            #expect(throws: error, sourceLocation: location) { try norm.train(input, mask: mask) }
            #expect(norm == before, sourceLocation: location)
            #expect(throws: error, sourceLocation: location) { try norm.evaluate(input, mask: mask) }
            #expect(throws: error, sourceLocation: location) { try norm.moments(of: input, mask: mask) }
        }
    }

    @Test func `an input of another rank is refused in the words of the original`() throws {
        for shape in [[], [6], [2, 3, 4, 1]] as [Shape] {
            try expect(.inputRank(shape.rank), of: Tensor(repeating: Float(0), shape: shape))
        }
        #expect("\(MaskedBatchNormError.inputRank(4))" == "expected 2D or 3D input (got 4D input)")
    }

    @Test func `another number of channels is refused in the words of the original`() throws {
        for shape in [[2, 4], [2, 4, 3], [2, 0, 4]] as [Shape] {
            let error = MaskedBatchNormError.channels(expected: 3, actual: shape[1])
            try expect(error, of: Tensor(repeating: Float(0), shape: shape))
        }
        let error = MaskedBatchNormError.channels(expected: 3, actual: 4)
        #expect("\(error)" == "Expected 3 channels but input has 4 channels")
    }

    @Test func `a mask of another shape is refused in the words of the original`() throws {
        for shape in [[2, 4], [2, 3, 4], [1, 1, 4], [2, 1, 5], [2, 1, 1], [2, 1, 4, 1]] as [Shape] {
            let mask = Tensor(repeating: Float(1), shape: shape)
            try expect(.maskShape(expected: [2, 1, 4], actual: shape.dimensions), of: x, .tensor(mask))
        }
        let flat = Tensor(repeating: Float(1), shape: [2, 3])
        for shape in [[2], [2, 3], [2, 1, 1]] as [Shape] {
            let mask = Tensor(repeating: Float(1), shape: shape)
            try expect(.maskShape(expected: [2, 1], actual: shape.dimensions), of: flat, .tensor(mask))
        }
        try expect(
            .maskShape(expected: [2, 1, 4], actual: [3, 1, 4]),
            of: x,
            .lengths(SequenceMask(lengths: [4, 4, 4]))
        )
        try expect(
            .maskShape(expected: [2, 1, 4], actual: [2, 1, 5]),
            of: x,
            .lengths(SequenceMask(lengths: [4, 5]))
        )
        let error = MaskedBatchNormError.maskShape(expected: [2, 1, 4], actual: [2, 4])
        #expect("\(error)" == "Mask should have shape (B, 1, L). Expected [2, 1, 4], got [2, 4]")
        let short = MaskedBatchNormError.maskShape(expected: [2, 1], actual: [2])
        #expect("\(short)" == "Mask should have shape (B, 1). Expected [2, 1], got [2]")
    }

    @Test func `a mask holds zeros and ones only`() throws {
        for (strange, index) in [(0.5, 0), (.nan, 7), (-1, 3), (2, 4)] as [(Float, Int)] {
            var mask = Tensor(repeating: Float(1), shape: [2, 1, 4])
            mask.withMutableElements(of: Float.self) { $0[index] = strange }
            try expect(.maskValue(index: index), of: x, .tensor(mask))
        }
        let mask = Tensor(repeating: Int64(-1), shape: [2, 1, 4])
        try expect(.maskValue(index: 0), of: x, .tensor(mask))
        try expect(.maskLength(index: 1), of: x, .lengths(SequenceMask(lengths: [4, -1])))
    }

    @Test func `other types are refused`() throws {
        try expect(.inputType(.float64), of: Tensor(repeating: 1.0, shape: [2, 3, 4]))
        try expect(.inputType(.float16), of: Tensor(uninitialized: .float16, shape: [2, 3]))
        let mask = Tensor(uninitialized: .bfloat16, shape: [2, 1, 4])
        try expect(.maskType(.bfloat16), of: x, .tensor(mask))
    }

    @Test func `a batch without a valid position has no statistics, and running ones need none`() throws {
        let nothing = MaskedBatchNorm.Mask.lengths(SequenceMask(lengths: [0, 0]))
        let empty = [
            (x, nothing), (Tensor(repeating: Float(0), shape: [0, 3, 4]), .all),
            (Tensor(repeating: Float(0), shape: [2, 3, 0]), .all),
            (Tensor(repeating: Float(0), shape: [0, 3]), .all),
            (
                Tensor(repeating: .nan as Float, shape: [2, 3]),
                .tensor(Tensor(repeating: false, shape: [2, 1]))
            ),
        ]
        for (input, mask) in empty {
            var tracking = try norm(.onnx(.onnxMomentum(0.9)))
            let before = tracking
            #expect(throws: MaskedBatchNormError.noValidPosition) { try tracking.train(input, mask: mask) }
            #expect(tracking == before)
            #expect(throws: MaskedBatchNormError.noValidPosition) { try norm().evaluate(input, mask: mask) }
            let zeros = Tensor(repeating: Float(0), shape: input.shape)
            #expect(try tracking.evaluate(input, mask: mask) == zeros)
            #expect(try tracking.moments(of: input, mask: mask) == Moments(channels: 3))
        }
    }

    @Test func `one valid position has no variance with divisor n - 1`() throws {
        let one = MaskedBatchNorm.Mask.lengths(SequenceMask(lengths: [0, 1]))
        var tracking = try norm(.pytorch(.cumulative))
        let before = tracking
        #expect(throws: MaskedBatchNormError.oneValidPosition) { try tracking.train(x, mask: one) }
        #expect(tracking == before)
        var plain = try MaskedBatchNorm(channels: 3, bias: [1, 2, 3], running: .maskedModule(.cumulative))
        let y = try plain.train(x, mask: one).output.array(of: Float.self)
        #expect(y == [Float](repeating: 0, count: 12) + [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0])
    }

    @Test func `parameters are checked`() throws {
        for epsilon in [0, -1e-5, .nan, .infinity] {
            do {
                _ = try MaskedBatchNorm(channels: 1, epsilon: epsilon, running: nil)
                Issue.record("epsilon \(epsilon) was taken")
            } catch .epsilon(let refused) {
                #expect(refused.bitPattern == epsilon.bitPattern)
            }
        }
        let error = MaskedBatchNormError.channels(expected: 3, actual: 2)
        #expect(throws: error) { try MaskedBatchNorm(channels: 3, scale: [1, 1], running: nil) }
        #expect(throws: error) { try MaskedBatchNorm(channels: 3, bias: [1, 1], running: nil) }
        let two = try RunningStatistics(.onnx(.cumulative), channels: 2)
        #expect(throws: error) { try MaskedBatchNorm(channels: 3, resuming: two) }
        #expect(throws: error) {
            var norm = try norm()
            return try norm.train(x, moments: Moments(channels: 2))
        }
        #expect(throws: MaskedBatchNormError.noValidPosition) {
            var norm = try norm()
            return try norm.train(x, moments: Moments(channels: 3))
        }
        let none = try MaskedBatchNorm(channels: -1, running: .onnx(.cumulative))
        let empty = Tensor(repeating: Float(0), shape: [2, 0, 4])
        #expect(try none.evaluate(empty) == empty)
    }

    @Test func `a copy goes its own way`() throws {
        let input = try Tensor((0..<24).map { Float($0) }, shape: [2, 3, 4])
        var first = try norm(.maskedModule(.cumulative))
        let second = first
        _ = try first.train(input)
        #expect(second.running?.batches == 0)
        #expect(second.running?.variance == [1, 1, 1])
        #expect(first.running?.batches == 1)
        #expect(first.running?.mean == [7.5, 11.5, 15.5])
        #expect(input.array(of: Float.self) == (0..<24).map { Float($0) })
    }

    @Test func `every error says what is wrong`() {
        let errors: [MaskedBatchNormError] = [
            .inputRank(1), .inputType(.int64), .channels(expected: 1, actual: 2),
            .maskShape(expected: [1, 1, 2], actual: [1]), .maskType(.float16), .maskValue(index: 3),
            .maskLength(index: 4), .noValidPosition, .oneValidPosition, .epsilon(0), .batchWeight(2), .count,
            .negativeSpread(channel: 5),
        ]
        #expect(Set(errors.map(\.description)).count == errors.count)
    }
}
