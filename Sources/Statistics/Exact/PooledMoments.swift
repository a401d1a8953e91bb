/// The mean and variance of many values, from exact sums; NaN where a sum is missing or there are no values.
struct PooledMoments {
    let mean: Double
    let variance: Double

    /// Divides sums over values: `mean = S1 / N` and `variance = (S2 * N - S1^2) / N^2`.
    ///
    /// The difference is of exact numbers, so nothing cancels; each result is rounded at most four times.
    init(count: ExactNumber?, sum: ExactNumber?, squares: ExactNumber?) {
        guard let count, let sum, !count.isZero else {
            (mean, variance) = (.nan, .nan)
            return
        }
        let divisor = count.doubleValue
        mean = sum.doubleValue / divisor
        variance = squares.map { ($0 * count - sum * sum).doubleValue / divisor / divisor } ?? .nan
    }
}
