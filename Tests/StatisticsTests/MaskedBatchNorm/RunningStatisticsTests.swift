import Statistics
import Testing

struct RunningStatisticsTests {
    typealias Rule = RunningStatistics.Rule

    /// A batch of 5 values with mean 3 and variance 2 (2.5 with divisor 4), or of 2 with mean 1 and variance 4 (8).
    private let first = try? Moments(count: 5, mean: [3], m2: [10])
    private let second = try? Moments(count: 2, mean: [1], m2: [8])

    private func run(_ rule: Rule) throws -> (mean: [Double], variance: [Double]) {
        var running = try RunningStatistics(rule, channels: 1)
        #expect(running.mean == [0] && running.variance == [1] && running.batches == 0)
        try running.add(#require(first))
        try running.add(#require(second))
        #expect(running.batches == 2)
        return (running.mean, running.variance)
    }

    @Test func `the original module starts from the first batch`() throws {
        let running = try run(.maskedModule(.pytorchMomentum(0.25)))
        #expect(running.mean == [0.75 * 3 + 0.25 * 1])
        #expect(running.variance == [0.75 * 2 + 0.25 * 4])
    }

    @Test func `PyTorch starts from 0 and 1 and takes the variance with divisor n - 1`() throws {
        let running = try run(.pytorch(.pytorchMomentum(0.25)))
        #expect(running.mean == [0.75 * (0.25 * 3) + 0.25 * 1])
        #expect(running.variance == [0.75 * (0.75 + 0.25 * 2.5) + 0.25 * 8])
    }

    @Test func `ONNX's momentum weighs what was there before`() throws {
        let running = try run(.onnx(.onnxMomentum(0.75)))
        #expect(running.mean == [0.75 * (0.25 * 3) + 0.25 * 1])
        #expect(running.variance == [0.75 * (0.75 + 0.25 * 2) + 0.25 * 4])
    }

    @Test func `without momentum all batches count the same, and the start not at all`() throws {
        for rule in [Rule.maskedModule(.cumulative), .onnx(.cumulative), .pytorch(.pytorchMomentum(nil))] {
            let running = try run(rule)
            #expect(running.mean == [2])
            #expect(running.variance == [rule.divisor == .count ? 3 : 5.25])
        }
    }

    @Test func `stored statistics go on where they were`() throws {
        let rule = Rule.maskedModule(.cumulative)
        var whole = try RunningStatistics(rule, channels: 1)
        try whole.add(#require(first))
        var resumed = try RunningStatistics(rule, mean: whole.mean, variance: whole.variance, batches: 1)
        #expect(resumed == whole)
        try whole.add(#require(second))
        try resumed.add(#require(second))
        #expect(resumed == whole)
    }

    @Test func `what cannot be is refused and changes nothing`() throws {
        for weight in [-0.1, 1.1, .infinity] {
            #expect(throws: MaskedBatchNormError.batchWeight(weight)) {
                try RunningStatistics(.onnx(.exponential(batchWeight: weight)), channels: 1)
            }
        }
        #expect(throws: MaskedBatchNormError.self) {
            try RunningStatistics(.pytorch(.pytorchMomentum(.nan)), channels: 1)
        }
        let rule = Rule.pytorch(.cumulative)
        #expect(throws: MaskedBatchNormError.channels(expected: 1, actual: 2)) {
            try RunningStatistics(rule, mean: [0], variance: [1, 1], batches: 0)
        }
        #expect(throws: MaskedBatchNormError.count) {
            try RunningStatistics(rule, mean: [0], variance: [1], batches: -1)
        }
        #expect(throws: MaskedBatchNormError.negativeSpread(channel: 0)) {
            try RunningStatistics(rule, mean: [0], variance: [-1], batches: 1)
        }
        var running = try RunningStatistics(rule, mean: [0], variance: [1], batches: .max)
        let before = running
        #expect(throws: MaskedBatchNormError.count) { try running.add(#require(first)) }
        #expect(throws: MaskedBatchNormError.channels(expected: 1, actual: 2)) {
            try running.add(Moments(channels: 2))
        }
        #expect(running == before)
        running = try RunningStatistics(rule, channels: 1)
        #expect(throws: MaskedBatchNormError.noValidPosition) { try running.add(Moments(channels: 1)) }
        #expect(throws: MaskedBatchNormError.oneValidPosition) {
            try running.add(Moments(count: 1, mean: [0], m2: [0]))
        }
        #expect(running.batches == 0)
    }
}
