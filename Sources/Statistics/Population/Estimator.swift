/// How the statistics of many batches become those of the population.
///
/// ```swift
/// try accumulator.estimate(.pooled, tail: .repeat)
/// ```
public enum Estimator: String, CaseIterable, Codable, Sendable {
    /// The mean and the variance of all valid positions of all batches: `N = sum(n)`, `mean = sum(n * mean) / N`,
    /// `variance = sum(n * (variance + mean^2)) / N - mean^2`, evaluated without cancellation. Needs the counts.
    case pooled
    /// The mean of the batches' means and the mean of the batches' variances; every batch weighs the same.
    case meanOfBatches = "mean-of-batches"
    /// As ``meanOfBatches``, with `variance + (total - n) / n * mean^2` for a batch's variance: what sums over
    /// `(mask * x - mean)^2` give, which most public copies of masked batch normalization train with. Needs the counts
    /// and the totals.
    case gist
}

/// What a batch says of the time steps after its last.
public enum Tail: String, CaseIterable, Codable, Sendable {
    /// What it says of its last one, on every time axis: every batch has a say at every step.
    case `repeat`
    /// Nothing: only batches that reached a step have a say there.
    case hold
}
