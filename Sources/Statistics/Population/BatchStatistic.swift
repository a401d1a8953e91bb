public import TensorCore

/// What one batch says of one normalization: the statistics it computed, stacked over the steps of the loops around it.
///
/// `E` are the extents of those loops in this batch, outermost first; outside of loops there are none. The channels
/// `C` may be any axes, such as `[1, C, 1]`.
public struct BatchStatistic: Sendable, Equatable {
    /// Float32 or float64, `[E..., C...]`; nil if the normalization has none.
    public var mean: Tensor?
    /// Float32 or float64, `[E..., C...]`, with divisor `n` ("biased"); nil if the normalization has none.
    public var variance: Tensor?
    /// How many valid positions the statistics are of, a number of any type: `[E...]`, or a part of it from the
    /// outermost loop on, with any axes of length 1 behind; nil if it is not known.
    public var count: Tensor?
    /// How many positions there are with padding, shaped as ``count``; nil if it is not known.
    public var total: Tensor?
    /// Whether a step was reached, shaped as ``count``, 0 where it was not, as in the branch of an If that was not taken;
    /// nil if all were.
    public var reached: Tensor?
    /// The extents of the enclosing loops, outermost first: the most steps that each ran.
    public var extents: [Int]
    /// The steps of each loop but the outermost, where those of a loop in a loop are not the same each time; else empty.
    ///
    /// For each such loop how many steps it ran at each step of the loops around it, row-major over their extents. What
    /// the other parts hold behind the end of a loop is not read.
    public var steps: [[Int]]

    /// What one batch says.
    ///
    /// - Parameters:
    ///   - mean: `[E..., C...]`.
    ///   - variance: `[E..., C...]`.
    ///   - count: Valid positions.
    ///   - total: Positions with padding.
    ///   - reached: 0 at steps that were not reached.
    ///   - extents: The extents of the enclosing loops.
    ///   - steps: The steps of loops in loops, where they differ.
    public init(
        mean: Tensor? = nil,
        variance: Tensor? = nil,
        count: Tensor? = nil,
        total: Tensor? = nil,
        reached: Tensor? = nil,
        extents: [Int] = [],
        steps: [[Int]] = []
    ) {
        self.mean = mean
        self.variance = variance
        self.count = count
        self.total = total
        self.reached = reached
        self.extents = extents
        self.steps = steps
    }
}

/// One of the things a batch can say of a normalization.
public enum StatisticPart: String, CaseIterable, Codable, Sendable {
    /// The mean; also a statistic of which nothing but its value is known.
    case mean
    /// The variance, with divisor `n`.
    case variance
    /// The number of valid positions.
    case count
    /// The number of positions with padding.
    case total
}
