public import Statistics

/// What the statistics of a BatchNormalization in training mode are taken over; the operator knows no mask.
public enum Padding: String, Sendable, CaseIterable, Codable {
    /// Valid positions only, and the training graph runs on these statistics too.
    case exclude
    /// All positions, as the operator itself does.
    case include
    /// Valid positions only, while the training graph runs on the statistics of all positions.
    case observe
}

/// How a training graph is frozen.
public struct FreezeOptions: Sendable, Equatable {
    /// How the statistics of batches are combined; nil for each site's own: `pooled` where counts are known, else
    /// `mean-of-batches`.
    public var estimator: Estimator?
    /// What steps that a batch did not reach take from it.
    public var tail: Tail
    /// What a BatchNormalization in training mode is estimated over.
    public var padding: Padding
    /// Further statistics: names of values, or regular expressions that match whole names.
    public var statistics: [String]
    /// Whether means and variances written with plain operators are searched for.
    public var findsPatterns: Bool

    /// Options.
    ///
    /// - Parameters:
    ///   - estimator: How the statistics of batches are combined; nil for each site's own.
    ///   - tail: What steps that a batch did not reach take from it.
    ///   - padding: What a BatchNormalization in training mode is estimated over.
    ///   - statistics: Names of values, or regular expressions that match whole names.
    ///   - findsPatterns: Whether means and variances written with plain operators are searched for.
    public init(
        estimator: Estimator? = nil,
        tail: Tail = .repeat,
        padding: Padding = .exclude,
        statistics: [String] = [],
        findsPatterns: Bool = true
    ) {
        self.estimator = estimator
        self.tail = tail
        self.padding = padding
        self.statistics = statistics
        self.findsPatterns = findsPatterns
    }
}
