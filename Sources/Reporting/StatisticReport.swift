/// The population statistics of one normalization.
public struct StatisticReport: Sendable, Equatable, Codable {
    /// The label without its ending: `block1.bn`.
    public var label: String
    /// Where the normalization stands in the graph.
    public var path: String
    /// How many loops are around it.
    public var depth: Int
    /// How it was found, in words.
    public var origin: String
    /// How the batches were combined here.
    public var estimator: String
    /// The mean, or the labelled value itself where nothing else is known of it; nil if there is only a variance.
    public var mean: StatisticSeries?
    /// The variance with divisor N; nil if there is none.
    public var variance: StatisticSeries?
    /// Batches that reached each step, in row-major order of the steps; one number where there are no steps.
    public var coverage: [Int]
    /// Valid positions that each step was taken from; nil where no counts are known.
    public var positions: [Double]?
    /// What stood in the graph before; nil unless the statistics were estimated anew.
    public var previous: Previous?

    /// The statistics that a recalibration replaced.
    public struct Previous: Sendable, Equatable, Codable {
        /// The old mean.
        public var mean: StatisticSeries?
        /// The old variance.
        public var variance: StatisticSeries?

        /// Old statistics.
        ///
        /// - Parameters:
        ///   - mean: The old mean.
        ///   - variance: The old variance.
        public init(mean: StatisticSeries?, variance: StatisticSeries?) {
            self.mean = mean
            self.variance = variance
        }
    }

    /// The statistics of one normalization.
    ///
    /// - Parameters:
    ///   - label: The label without its ending.
    ///   - path: Where the normalization stands in the graph.
    ///   - depth: How many loops are around it.
    ///   - origin: How it was found, in words.
    ///   - estimator: How the batches were combined here.
    ///   - mean: The mean.
    ///   - variance: The variance with divisor N.
    ///   - coverage: Batches that reached each step.
    ///   - positions: Valid positions that each step was taken from.
    ///   - previous: What stood in the graph before.
    public init(
        label: String,
        path: String,
        depth: Int,
        origin: String,
        estimator: String,
        mean: StatisticSeries?,
        variance: StatisticSeries?,
        coverage: [Int],
        positions: [Double]? = nil,
        previous: Previous? = nil
    ) {
        self.label = label
        self.path = path
        self.depth = depth
        self.origin = origin
        self.estimator = estimator
        self.mean = mean
        self.variance = variance
        self.coverage = coverage
        self.positions = positions
        self.previous = previous
    }

    /// The lengths of the time axes, outermost first; empty where the statistic has none.
    public var steps: [Int] { (mean ?? variance)?.steps ?? [] }
    /// How many values a step has.
    public var channels: Int { (mean ?? variance)?.channels ?? 0 }
}

/// A number for each channel, at each step where there are steps.
public struct StatisticSeries: Sendable, Equatable, Codable {
    /// The lengths of the time axes, outermost first; empty where there are none.
    public let steps: [Int]
    /// How many values a step has.
    public let channels: Int
    /// The values, in row-major order with the channels last.
    public let values: [Float]

    /// A series; values that are too few or too many are cut or filled up with zero.
    ///
    /// - Parameters:
    ///   - steps: The lengths of the time axes, each at least 0.
    ///   - channels: At least 0.
    ///   - values: As many as the product of the others.
    public init(steps: [Int], channels: Int, values: [Float]) {
        var count = max(channels, 0)
        for step in steps {
            let (product, overflow) = count.multipliedReportingOverflow(by: max(step, 0))
            count = overflow ? values.count : product
        }
        count = min(count, max(values.count, 1 << 24))
        self.steps = steps
        self.channels = max(channels, 0)
        self.values =
            values.count == count
            ? values : Array((values + Array(repeating: 0, count: count)).prefix(count))
    }

    /// The number of steps of all axes together; 1 where there are none.
    public var stepCount: Int { channels > 0 ? values.count / channels : 0 }

    /// One channel at every step.
    func channel(_ channel: Int) -> [Double] {
        (0..<stepCount).map { Double(values[$0 * channels + channel]) }
    }
}
