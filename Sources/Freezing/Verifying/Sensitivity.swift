import ONNXGraph
import Statistics
import TensorCore

/// How far a small change of its statistics moves a frozen graph's outputs: its condition, measured.
///
/// Two graphs that compute the same by different operators differ by rounding, and a recurrence can enlarge that without
/// bound. A change of ``change`` of the statistics stands for the rounding; the outputs may differ by ``factor`` times what
/// it moves them, but by no more than ``largestLimit``, where agreement would show nothing.
enum Sensitivity {
    /// The change of each statistic, in parts of its size: some units in the last place of float32.
    static let change = 1e-6
    /// How much more than the measured movement is allowed, since rounding takes other directions.
    static let factor = 10.0
    /// The largest relative difference allowed where nothing is enlarged.
    static let leastLimit = 1e-3
    /// The largest relative difference allowed at all.
    static let largestLimit = 0.1

    /// The largest relative difference allowed, for a movement of the outputs.
    static func limit(movement: Double) -> Double {
        max(leastLimit, min(largestLimit, factor * movement))
    }

    /// Statistics that are a little off: every element by ``change`` of its size, up or down.
    ///
    /// The size of a mean is its magnitude and the deviation together, since a mean may be 0.
    ///
    /// - Parameters:
    ///   - statistics: What stands in a graph, site by site.
    ///   - pattern: Which elements go up: another number, another choice.
    /// - Returns: The statistics, in the same order.
    static func changed(_ statistics: [SiteStatistics], pattern: UInt64) -> [SiteStatistics] {
        var choice = Choice(state: pattern)
        return statistics.map { statistic in
            let means = statistic.mean?.numbers
            let variances = statistic.variance?.numbers
            let deviations = variances?.map { max(0, $0).squareRoot() }
            func changed(_ tensor: Tensor?, _ numbers: [Double]?, sizes: [Double]?) -> Tensor? {
                guard let tensor, let numbers else { return tensor }
                let moved = numbers.indices.map { index in
                    let further = sizes.flatMap { $0.count == numbers.count ? $0[index] : nil } ?? 0
                    let size = (numbers[index].magnitude + further) * Self.change
                    return numbers[index] + (choice.goesUp() ? size : -size)
                }
                let result =
                    tensor.elementType == .float64
                    ? try? Tensor(moved, shape: tensor.shape)
                    : try? Tensor(moved.map { Float($0) }, shape: tensor.shape)
                return result ?? tensor
            }
            return SiteStatistics(
                mean: changed(statistic.mean, means, sizes: deviations),
                variance: changed(statistic.variance, variances, sizes: nil)
            )
        }
    }

    /// Ups and downs in an order without a pattern, by SplitMix64.
    private struct Choice {
        var state: UInt64

        mutating func goesUp() -> Bool {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return (z ^ (z >> 31)) & 1 == 1
        }
    }
}
