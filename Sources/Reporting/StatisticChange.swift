#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How far new statistics are from those they replace, channel by channel.
///
/// `shift = (new mean - old mean) / sqrt(old variance)`, `ratio = new variance / old variance`, and
/// `divergence = (ratio + shift^2 - 1 - ln ratio) / 2`, the Kullback-Leibler divergence of the new Gaussian from the
/// old one in nats. A channel whose old variance is 0 has none of them.
struct StatisticChange: Equatable {
    /// The shift of the mean, in old standard deviations.
    let shift: StatisticSeries
    /// The ratio of the variances.
    let ratio: StatisticSeries
    /// The largest magnitude of a shift.
    let largestShift: Double
    /// The smallest and the largest ratio.
    let ratios: ClosedRange<Double>
    /// The mean divergence of all channels, in nats.
    let divergence: Double

    /// Compares two estimates; steps that only one of them has are left out.
    ///
    /// Nil if there is nothing to compare with, or the shapes do not go together.
    init?(_ statistic: StatisticReport) {
        guard let old = statistic.previous, let mean = statistic.mean, let variance = statistic.variance,
            let oldMean = old.mean, let oldVariance = old.variance,
            oldMean.channels == mean.channels, oldVariance.channels == variance.channels,
            mean.channels == variance.channels, oldMean.steps == oldVariance.steps,
            mean.steps == variance.steps, mean.steps.count == oldMean.steps.count
        else { return nil }
        let steps = zip(mean.steps, oldMean.steps).map { min($0, $1) }
        var shifts: [Float] = []
        var ratios: [Float] = []
        var divergences: [Double] = []
        for place in Self.places(steps) {
            let here = Self.row(place, of: mean.steps) * mean.channels
            let there = Self.row(place, of: oldMean.steps) * mean.channels
            for channel in 0..<mean.channels {
                let before = Double(oldVariance.values[there + channel])
                let difference = Double(mean.values[here + channel]) - Double(oldMean.values[there + channel])
                guard before > 0 else {
                    shifts.append(.nan)
                    ratios.append(.nan)
                    continue
                }
                let shift = difference / before.squareRoot()
                let ratio = Double(variance.values[here + channel]) / before
                shifts.append(Float(shift))
                ratios.append(Float(ratio))
                if ratio > 0 { divergences.append((ratio + shift * shift - 1 - log(ratio)) / 2) }
            }
        }
        let known = zip(shifts, ratios).filter { $0.0.isFinite && $0.1.isFinite }
        guard !known.isEmpty else { return nil }
        shift = StatisticSeries(steps: steps, channels: mean.channels, values: shifts)
        ratio = StatisticSeries(steps: steps, channels: mean.channels, values: ratios)
        largestShift = known.map { Double($0.0.magnitude) }.max() ?? 0
        let sorted = known.map { Double($0.1) }.sorted()
        self.ratios = (sorted.first ?? 1)...(sorted.last ?? 1)
        divergence = divergences.isEmpty ? .infinity : divergences.reduce(0, +) / Double(divergences.count)
    }

    /// Every place of the steps, the last axis fastest; one empty place where there are no axes.
    private static func places(_ steps: [Int]) -> [[Int]] {
        steps.reduce([[]]) { places, length in
            places.flatMap { place in (0..<length).map { place + [$0] } }
        }
    }

    private static func row(_ place: [Int], of steps: [Int]) -> Int {
        zip(place, steps).reduce(0) { $0 * $1.1 + $1.0 }
    }
}
