internal import TensorCore

/// Gathers what batches say of one normalization until the population's statistics are read out.
///
/// Memory depends on the steps and channels of the longest batch, never on how many batches there are. All sums are exact, so
/// that neither the order of the batches nor their split over accumulators that are merged changes a bit of a result.
///
/// ```swift
/// var accumulator = PopulationAccumulator(label: "block1.bn", parts: [.mean, .variance, .count])
/// for batch in batches { try accumulator.add(batch) }
/// let population = try accumulator.estimate(.pooled, tail: .repeat)
/// ```
public struct PopulationAccumulator: Sendable, Equatable {
    /// How a part looks at one step.
    struct Layout: Hashable, Sendable {
        var channels: Shape
        var elementType: ElementType
    }

    /// The stem of the labels, such as `block1.bn`.
    public let label: String
    /// The number of enclosing loops.
    public let depth: Int
    /// What every batch says.
    public let parts: Set<StatisticPart>
    /// How many batches were added.
    public internal(set) var batches = 0
    /// The longest extent of each enclosing loop, outermost first.
    public internal(set) var extents: [Int]

    /// Nil before the first batch.
    var meanLayout: Layout?
    /// Nil before the first batch.
    var varianceLayout: Layout?
    /// Sums of the batches' values, as every batch weighs the same.
    ///
    /// A cell is `[axes, step...]`, with `axes` the bits of a set of time axes. Those of the empty set hold the batches
    /// that reached the step. Those of another set hold the batches whose last step on every axis of the set is this one,
    /// and which reached it on the others; out of these, all tails are extended after merging.
    var plain: CellTable?
    /// Sums over positions, `[n, n * mean, n * (variance + mean^2)]`; a cell is `[step...]`.
    var weighted: CellTable?

    /// An accumulator without batches.
    ///
    /// - Parameters:
    ///   - label: The stem of the labels.
    ///   - depth: The number of enclosing loops.
    ///   - parts: What every batch will say; mean or variance at least.
    public init(label: String, depth: Int = 0, parts: Set<StatisticPart>) {
        self.label = label
        self.depth = depth
        self.parts = parts
        extents = Array(repeating: 0, count: depth)
    }

    /// The number of channels; nil before the first batch.
    public var channelCount: Int? { (meanLayout ?? varianceLayout)?.channels.elementCount }

    /// Whether batches say what the third estimator needs.
    var hasGist: Bool { parts.isSuperset(of: StatisticPart.allCases) }

    /// Where a part's channels are among the sums of a cell of ``plain``.
    func plainRange(_ part: PlainPart) -> Range<Int> {
        let channels = channelCount ?? 0
        let before =
            switch part {
            case .mean: 0
            case .variance: parts.contains(.mean) ? 1 : 0
            case .gist: 2
            }
        return (before * channels)..<((before + 1) * channels)
    }

    /// What is summed over batches.
    enum PlainPart {
        case mean, variance
        /// The variance with the error of ``Estimator/gist``.
        case gist
    }

    var plainWidth: Int {
        let count = (parts.contains(.mean) ? 1 : 0) + (parts.contains(.variance) ? 1 : 0) + (hasGist ? 1 : 0)
        return count * (channelCount ?? 0)
    }

    var weightedWidth: Int {
        guard parts.contains(.mean) else { return 1 }
        return 1 + (parts.contains(.variance) ? 2 : 1) * (channelCount ?? 0)
    }
}
