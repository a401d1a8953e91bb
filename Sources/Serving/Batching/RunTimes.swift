import NIOConcurrencyHelpers

/// How long runs of one model have taken lately, by their number of rows.
///
/// Rows are told apart by powers of two. A run that was held up, by whatever else the processor had to do, says
/// little of the next one: no run counts for more than ``outlier`` times the mean before it.
/// Lock held for some nanoseconds only.
final class RunTimes: Sendable {
    /// Running means in nanoseconds; 0 for numbers of rows that never ran.
    private let means = NIOLockedValueBox([Double](repeating: 0, count: Int.bitWidth))
    /// What one run counts for.
    private static let weight = 0.125
    /// How much longer than the mean a run may count as.
    private static let outlier = 2.0

    /// Notes one run.
    func record(rows: Int, nanoseconds: Double) {
        let place = Self.place(rows)
        means.withLockedValue { means in
            let mean = means[place]
            let counted = min(nanoseconds, mean * Self.outlier)
            means[place] = mean == 0 ? nanoseconds : mean + (counted - mean) * Self.weight
        }
    }

    /// What a run of so many rows is likely to take in nanoseconds; nil if none like it has run.
    func expected(rows: Int) -> Double? {
        let mean = means.withLockedValue { $0[Self.place(rows)] }
        return mean == 0 ? nil : mean
    }

    /// How many rows can be run in so many nanoseconds, going by the largest runs there were; nil if none was.
    ///
    /// The rows of a run are known to a factor of two, and taken to be in the middle.
    func rows(within nanoseconds: Double) -> Int? {
        let largest: (place: Int, mean: Double)? = means.withLockedValue { means in
            means.lastIndex { $0 > 0 }.map { ($0, means[$0]) }
        }
        guard let largest else { return nil }
        let rows = 1.5 * Double(sign: .plus, exponent: largest.place, significand: 1)
        return Int(min(nanoseconds / largest.mean * rows, 1e15))
    }

    private static func place(_ rows: Int) -> Int {
        Int.bitWidth - 1 - max(rows, 1).leadingZeroBitCount
    }
}
