#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A range of values on a range of coordinates, with marks at round values.
struct Scale: Equatable {
    /// The values at both ends; the second is larger.
    let domain: ClosedRange<Double>
    /// Where the ends are drawn.
    let range: (start: Double, end: Double)
    /// Round values within the domain.
    let ticks: [Double]
    /// Decimals that the marks need.
    private let decimals: Int

    static func == (a: Scale, b: Scale) -> Bool {
        a.domain == b.domain && a.range == b.range && a.ticks == b.ticks
    }

    /// What a scale must show besides the values.
    enum Kind: Equatable {
        /// Any numbers, with a little room at both ends.
        case values
        /// Counts: 0 is shown, the upper end is a mark, and marks are whole numbers.
        case counts
    }

    /// A scale around values, with marks at round ones.
    ///
    /// - Parameters:
    ///   - values: What is to be shown; what is not finite is passed over.
    ///   - range: Where the ends are drawn.
    ///   - marks: About how many marks.
    ///   - kind: What the values are.
    init(
        around values: some Sequence<Double>,
        on range: (start: Double, end: Double),
        marks: Int = 5,
        kind: Kind = .values
    ) {
        var low = Double.infinity
        var high = -Double.infinity
        for value in values where value.isFinite {
            low = min(low, value)
            high = max(high, value)
        }
        if low > high { (low, high) = (0, 1) }
        if kind == .counts { (low, high) = (min(low, 0), max(high, 1)) }
        if high - low <= max(low.magnitude, high.magnitude) * 1e-9 {
            let margin = max(low.magnitude, 1e-12) * 0.5
            (low, high) = (low - margin, high + margin)
        }
        var step = Self.roundStep((high - low) / Double(max(marks, 1)))
        switch kind {
        case .values:
            let room = (high - low) * 0.04
            (low, high) = (low - room, high + room)
        case .counts:
            step = max(step, 1)
            high = (high / step).rounded(.up) * step
        }
        domain = low...high
        self.range = range
        let first = (low / step - 1e-9).rounded(.up)
        let last = (high / step + 1e-9).rounded(.down)
        ticks = (0...Int(min(max(last - first, 0), 100))).map { (first + Double($0)) * step }
        decimals = Int(min(max(-log10(step).rounded(.down), 0), 12))
    }

    /// 1, 2 or 5 times a power of ten, at least as large.
    static func roundStep(_ step: Double) -> Double {
        guard step.isFinite, step > 0 else { return 1 }
        let power = pow(10, log10(step).rounded(.down))
        let share = step / power
        for round in [1.0, 2, 5] where share <= round * (1 + 1e-9) { return round * power }
        return 10 * power
    }

    /// Where a value is drawn.
    func callAsFunction(_ value: Double) -> Double {
        let share = (value - domain.lowerBound) / (domain.upperBound - domain.lowerBound)
        return range.start + min(max(share, -0.01), 1.01) * (range.end - range.start)
    }

    /// What stands at a mark.
    func label(_ tick: Double) -> String {
        let largest = max(domain.lowerBound.magnitude, domain.upperBound.magnitude)
        if tick == 0 || tick.magnitude < largest * 1e-9 { return "0" }
        if largest >= 1e6 || largest < 1e-3 {
            return Figures.printed("%.3g", tick)
        }
        return Figures.printed("%.\(min(decimals, 6))f", tick)
    }
}
