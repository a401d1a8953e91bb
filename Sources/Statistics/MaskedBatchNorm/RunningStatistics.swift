/// Mean and variance carried from batch to batch in training, for evaluation.
///
/// After each batch `running = (1 - f) * running + f * batch`. Libraries differ in the start, in the variance that is fed in
/// and in what they call momentum; ``Rule`` names all three.
public struct RunningStatistics: Sendable, Equatable {
    /// How much the newest batch counts.
    public enum Averaging: Sendable, Hashable {
        /// f is the same for every batch: the newest counts most.
        case exponential(batchWeight: Double)
        /// f is 1 / (number of batches, the newest included): all count the same.
        case cumulative

        /// PyTorch's `momentum`: the weight of the newest batch.
        ///
        /// - Parameter momentum: In `0 ... 1`; nil is the cumulative average, as there.
        /// - Returns: The averaging.
        public static func pytorchMomentum(_ momentum: Double?) -> Averaging {
            momentum.map { .exponential(batchWeight: $0) } ?? .cumulative
        }

        /// ONNX's `momentum`: the weight of what was there before.
        ///
        /// - Parameter momentum: In `0 ... 1`.
        /// - Returns: The averaging.
        public static func onnxMomentum(_ momentum: Double) -> Averaging {
            .exponential(batchWeight: 1 - momentum)
        }
    }

    /// A library's convention.
    public struct Rule: Sendable, Hashable {
        /// What is there before the first batch.
        public enum Start: Sendable, Hashable {
            /// Mean 0 and variance 1, into which the first batch is averaged like any other.
            case standard
            /// Nothing: the first batch's statistics are taken as they are. Until then evaluation uses 0 and 1.
            case firstBatch
        }

        /// What is there before the first batch.
        public var start: Start
        /// The divisor of the variance that is fed in.
        public var divisor: Moments.Divisor
        /// How much the newest batch counts.
        public var averaging: Averaging

        /// A convention of one's own.
        ///
        /// - Parameters:
        ///   - start: What is there before the first batch.
        ///   - divisor: The divisor of the variance that is fed in.
        ///   - averaging: How much the newest batch counts.
        public init(start: Start, divisor: Moments.Divisor, averaging: Averaging) {
            self.start = start
            self.divisor = divisor
            self.averaging = averaging
        }

        /// The original masked module: starts from the first batch, variance with divisor n.
        ///
        /// - Parameter averaging: How much the newest batch counts.
        /// - Returns: The convention.
        public static func maskedModule(_ averaging: Averaging) -> Rule {
            Rule(start: .firstBatch, divisor: .count, averaging: averaging)
        }

        /// `torch.nn.BatchNorm1d`: starts from 0 and 1, variance with divisor n - 1.
        ///
        /// - Parameter averaging: How much the newest batch counts.
        /// - Returns: The convention.
        public static func pytorch(_ averaging: Averaging) -> Rule {
            Rule(start: .standard, divisor: .countMinusOne, averaging: averaging)
        }

        /// ONNX `BatchNormalization` with `training_mode = 1`: starts from 0 and 1, variance with divisor n.
        ///
        /// - Parameter averaging: How much the newest batch counts.
        /// - Returns: The convention.
        public static func onnx(_ averaging: Averaging) -> Rule {
            Rule(start: .standard, divisor: .count, averaging: averaging)
        }
    }

    /// The convention.
    public let rule: Rule
    /// The running mean of each channel, `[C]`.
    public private(set) var mean: [Double]
    /// The running variance of each channel, `[C]`.
    public private(set) var variance: [Double]
    /// The number of batches averaged in.
    public private(set) var batches: Int

    /// Statistics before the first batch: mean 0, variance 1.
    ///
    /// - Parameters:
    ///   - rule: The convention.
    ///   - channels: C; below 0 counts as 0.
    /// - Throws: ``MaskedBatchNormError/batchWeight(_:)``.
    public init(_ rule: Rule, channels: Int) throws(MaskedBatchNormError) {
        let zeros = [Double](repeating: 0, count: max(0, channels))
        try self.init(rule, mean: zeros, variance: zeros.map { _ in 1 }, batches: 0)
    }

    /// Statistics stored before, to go on from.
    ///
    /// - Parameters:
    ///   - rule: The convention.
    ///   - mean: `[C]`.
    ///   - variance: `[C]`, at least 0.
    ///   - batches: The number of batches they are of, at least 0.
    /// - Throws: ``MaskedBatchNormError/batchWeight(_:)``, ``MaskedBatchNormError/channels(expected:actual:)``,
    ///   ``MaskedBatchNormError/count`` or ``MaskedBatchNormError/negativeSpread(channel:)``.
    public init(_ rule: Rule, mean: [Double], variance: [Double], batches: Int) throws(MaskedBatchNormError) {
        if case .exponential(let weight) = rule.averaging, !(0...1).contains(weight) {
            throw .batchWeight(weight)
        }
        guard mean.count == variance.count else {
            throw .channels(expected: mean.count, actual: variance.count)
        }
        guard batches >= 0 else { throw .count }
        if let channel = variance.firstIndex(where: { $0 < 0 }) { throw .negativeSpread(channel: channel) }
        self.rule = rule
        self.mean = mean
        self.variance = variance
        self.batches = batches
    }

    /// Averages a batch in.
    ///
    /// - Parameter moments: The batch's, of as many channels.
    /// - Throws: ``MaskedBatchNormError/channels(expected:actual:)``, ``MaskedBatchNormError/noValidPosition``,
    ///   ``MaskedBatchNormError/oneValidPosition`` if the convention's divisor is n - 1, or
    ///   ``MaskedBatchNormError/count`` after `Int.max` batches. Nothing is changed then.
    public mutating func add(_ moments: Moments) throws(MaskedBatchNormError) {
        guard moments.channels == mean.count else {
            throw .channels(expected: mean.count, actual: moments.channels)
        }
        guard batches < .max else { throw .count }
        let variance = try moments.variance(divisor: rule.divisor)
        batches += 1
        if rule.start == .firstBatch && batches == 1 {
            mean = moments.mean
            self.variance = variance
            return
        }
        let weight =
            switch rule.averaging {
            case .exponential(let weight): weight
            case .cumulative: 1 / Double(batches)
            }
        for channel in mean.indices {
            mean[channel] = (1 - weight) * mean[channel] + weight * moments.mean[channel]
            self.variance[channel] = (1 - weight) * self.variance[channel] + weight * variance[channel]
        }
    }
}
