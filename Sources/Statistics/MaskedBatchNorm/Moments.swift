/// Count, mean and sum of squared deviations of the valid positions of a batch, or of any number of batches.
///
/// With n the ``count`` and x the valid values of a channel, `mean = sum(x) / n` and `m2 = sum((x - mean)^2)`. Parts are
/// merged with the formula of Chan, Golub and LeVeque (1983), which subtracts no large numbers from each other: any split
/// of the data over batches, threads or machines gives the same values but for rounding (about 1e-15 of their scale).
///
/// ```swift
/// var whole = try batchNorm.moments(of: first)
/// try whole.merge(batchNorm.moments(of: second))
/// let variance = try whole.variance(divisor: .count)
/// ```
public struct Moments: Sendable, Equatable {
    /// What a sum of squared deviations is divided by to become a variance.
    public enum Divisor: String, Sendable, Hashable, CaseIterable {
        /// n: the variance of the values themselves ("biased"); batch normalization, ONNX.
        case count
        /// n - 1: Bessel's estimate for what the values were drawn from ("unbiased"); PyTorch's running variance.
        case countMinusOne
    }

    /// The number of valid positions, which all channels share.
    public private(set) var count: Int
    /// The mean of each channel, `[C]`; 0 where ``count`` is 0.
    public private(set) var mean: [Double]
    /// The sum of squared deviations from the mean of each channel, `[C]`; 0 where ``count`` is 0.
    public private(set) var m2: [Double]

    /// The number of channels.
    public var channels: Int { mean.count }

    /// The moments of nothing, to merge into.
    ///
    /// - Parameter channels: C; below 0 counts as 0.
    public init(channels: Int) {
        count = 0
        mean = [Double](repeating: 0, count: max(0, channels))
        m2 = mean
    }

    /// Moments known from elsewhere.
    ///
    /// - Parameters:
    ///   - count: The number of positions, at least 0.
    ///   - mean: `[C]`; zeros if `count` is 0.
    ///   - m2: The sums of squared deviations, `[C]`, at least 0; zeros if `count` is 0.
    /// - Throws: ``MaskedBatchNormError/channels(expected:actual:)``, ``MaskedBatchNormError/count`` or
    ///   ``MaskedBatchNormError/negativeSpread(channel:)``.
    public init(count: Int, mean: [Double], m2: [Double]) throws(MaskedBatchNormError) {
        guard mean.count == m2.count else { throw .channels(expected: mean.count, actual: m2.count) }
        guard count > 0 || count == 0 && mean.allSatisfy({ $0 == 0 }) && m2.allSatisfy({ $0 == 0 }) else {
            throw .count
        }
        if let channel = m2.firstIndex(where: { $0 < 0 }) { throw .negativeSpread(channel: channel) }
        self.count = count
        self.mean = mean
        self.m2 = m2
    }

    /// Adds the moments of other positions.
    ///
    /// Which of two is merged into the other changes no bit.
    ///
    /// - Parameter other: Moments of as many channels.
    /// - Throws: ``MaskedBatchNormError/channels(expected:actual:)``; ``MaskedBatchNormError/count`` if the sum of the
    ///   counts does not fit an `Int`. Nothing is changed then.
    /// - Complexity: O(C).
    public mutating func merge(_ other: Moments) throws(MaskedBatchNormError) {
        guard other.channels == channels else { throw .channels(expected: channels, actual: other.channels) }
        let (total, overflow) = count.addingReportingOverflow(other.count)
        guard !overflow else { throw .count }
        other.mean.withUnsafeBufferPointer { mean in
            other.m2.withUnsafeBufferPointer { m2 in
                merge(count: other.count, total: total, mean: mean, m2: m2)
            }
        }
    }

    /// Merges as many channels, whose count added to this one is `total`.
    mutating func merge(
        count other: Int,
        total: Int,
        mean otherMean: UnsafeBufferPointer<Double>,
        m2 otherM2: UnsafeBufferPointer<Double>
    ) {
        if other == 0 { return }
        if count == 0 {
            mean = Array(otherMean)
            m2 = Array(otherM2)
        } else {
            let weights = MergeWeights(count, other)
            for channel in mean.indices {
                (mean[channel], m2[channel]) = weights.merge(
                    (mean[channel], m2[channel]),
                    (otherMean[channel], otherM2[channel])
                )
            }
        }
        count = total
    }

    /// The variance of each channel.
    ///
    /// - Parameter divisor: n or n - 1.
    /// - Returns: `m2 / divisor`, `[C]`.
    /// - Throws: ``MaskedBatchNormError/noValidPosition`` if ``count`` is 0;
    ///   ``MaskedBatchNormError/oneValidPosition`` if it is 1 and the divisor n - 1.
    public func variance(divisor: Divisor) throws(MaskedBatchNormError) -> [Double] {
        guard count > 0 else { throw .noValidPosition }
        guard divisor == .count || count > 1 else { throw .oneValidPosition }
        let divisor = Double(divisor == .count ? count : count - 1)
        return m2.map { $0 / divisor }
    }
}

/// What two counts, both above 0, contribute to the merging of every channel.
struct MergeWeights {
    private let areEqual: Bool
    private let firstIsLarger: Bool
    private let shareOfSmaller: Double
    private let product: Double

    init(_ first: Int, _ second: Int) {
        let (a, b) = (Double(first), Double(second))
        areEqual = first == second
        firstIsLarger = first > second
        shareOfSmaller = min(a, b) / (a + b)
        product = max(a, b) * shareOfSmaller
    }

    /// Mean and sum of squares of both parts together; symmetric to the bit.
    @inline(__always)
    func merge(_ a: (mean: Double, m2: Double), _ b: (mean: Double, m2: Double)) -> (Double, Double) {
        let difference = b.mean - a.mean
        let mean: Double
        if areEqual {
            mean = a.mean / 2 + b.mean / 2
        } else if firstIsLarger {
            mean = a.mean + difference * shareOfSmaller
        } else {
            mean = b.mean - difference * shareOfSmaller
        }
        return (mean, a.m2 + b.m2 + difference * difference * product)
    }
}
