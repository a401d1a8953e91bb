/// How many values fall into each of some intervals of equal width.
struct Histogram: Equatable {
    /// The lower end of each interval, and the upper end of the last.
    let edges: [Double]
    /// Values in each interval; the last includes its upper end.
    let counts: [Int]

    /// Counts values; what is not finite is passed over.
    ///
    /// The number of intervals is `1.5 sqrt(n)`, from 8 to 40.
    ///
    /// - Parameters:
    ///   - values: What is counted.
    ///   - domain: The range of the intervals; nil for that of the values.
    init(_ values: [Double], over domain: ClosedRange<Double>? = nil) {
        let values = values.filter(\.isFinite)
        var low = domain?.lowerBound ?? values.min() ?? 0
        var high = domain?.upperBound ?? values.max() ?? 1
        if high - low <= max(low.magnitude, high.magnitude) * 1e-12 {
            let margin = max(low.magnitude, 1e-12) * 0.5
            (low, high) = (low - margin, high + margin)
        }
        let bins = min(max(Int((1.5 * Double(values.count).squareRoot()).rounded(.up)), 8), 40)
        let width = (high - low) / Double(bins)
        edges = (0...bins).map { $0 == bins ? high : low + Double($0) * width }
        var counts = Array(repeating: 0, count: bins)
        for value in values where value >= low && value <= high {
            counts[min(Int((value - low) / width), bins - 1)] += 1
        }
        self.counts = counts
    }
}
