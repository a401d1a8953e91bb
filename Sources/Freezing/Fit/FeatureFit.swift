public import Statistics
public import TensorCore

/// The population's mean and variance of raw features, channel by channel, over any amount of data.
///
/// The sums are exact: no order and no split of the sequences changes a bit, and a variance does not cancel beside a
/// large mean.
///
/// ```swift
/// var fit = FeatureFit(channels: 12)
/// for batch in batches { try fit.add(batch) }
/// let normalizer = try fit.normalizerModel(toolVersion: "0.1.0")
/// try normalizer.model.write(to: URL(filePath: "model.onnx"))
/// ```
public struct FeatureFit: Sendable, Equatable {
    /// What the features are called in labels: the stem of `features.mean` and `features.variance`.
    public static let label = "features"

    /// The number of channels.
    public let channels: Int
    /// How many sequences were added.
    public private(set) var sequences = 0
    /// How many positions they had.
    public private(set) var positions = 0
    /// Which sequences were added, in any order.
    public private(set) var data = DataDigest()
    /// `[2, C]`: sums of values and of squares.
    private var sums: ExactSums

    /// A fit without data.
    ///
    /// - Parameter channels: The number of channels, at least 1.
    public init(channels: Int) {
        self.channels = max(1, channels)
        sums = ExactSums(count: 2 * self.channels)
    }

    /// Adds sequences; nothing is added if it throws.
    ///
    /// - Parameter batch: Float32 rows `[R, C]`.
    /// - Throws: ``FitError/notFeatures(_:)``, ``FitError/channelsDiffer(expected:actual:)``, or
    ///   ``FitError/notFinite(sequence:position:channel:)``.
    /// - Complexity: O(elements).
    public mutating func add(_ batch: SequenceBatch) throws(FitError) {
        let rows = batch.rows
        guard rows.elementType == .float32, rows.shape.rank == 2 else { throw .notFeatures(rows.elementType) }
        guard rows.shape[1] == channels else {
            throw .channelsDiffer(expected: channels, actual: rows.shape[1])
        }
        try checkFinite(batch)
        var row = [Double](repeating: 0, count: channels)
        rows.withElements(of: Float.self) { elements in
            for index in 0..<batch.rowCount {
                for channel in 0..<channels { row[channel] = Double(elements[index * channels + channel]) }
                sums.add(row, at: 0)
                sums.addSquares(of: row, at: channels)
            }
        }
        for sequence in 0..<batch.count { data.add([Self.label: batch[sequence]]) }
        sequences += batch.count
        positions += batch.rowCount
    }

    private func checkFinite(_ batch: SequenceBatch) throws(FitError) {
        let bad = batch.rows.withElements(of: Float.self) { $0.firstIndex { !$0.isFinite } }
        guard let bad else { return }
        let row = bad / channels
        let sequence = (batch.offsets.firstIndex { $0 > row } ?? 1) - 1
        throw .notFinite(
            sequence: sequence,
            position: row - batch.offsets[sequence],
            channel: bad % channels
        )
    }

    /// Adds the sequences of another fit.
    ///
    /// - Parameter other: A fit of as many channels.
    /// - Throws: ``FitError/channelsDiffer(expected:actual:)``.
    public mutating func merge(_ other: FeatureFit) throws(FitError) {
        guard channels == other.channels else {
            throw .channelsDiffer(expected: channels, actual: other.channels)
        }
        sums.merge(other.sums)
        data.merge(other.data)
        sequences += other.sequences
        positions += other.positions
    }

    /// The mean and the variance of each channel, in double, with divisor `positions`.
    ///
    /// - Returns: `[C]` each; NaN without any position.
    public func moments() -> (mean: [Double], variance: [Double]) {
        var count = ExactSums(count: 1)
        count.add(Double(positions), at: 0)
        let moments = (0..<channels).map { sums.moments(count: count, sum: $0, squares: channels + $0) }
        return (moments.map(\.mean), moments.map(\.variance))
    }

    /// The statistics as those of a normalization; a batch is a sequence.
    ///
    /// - Returns: Float32 `[C]`.
    /// - Throws: ``FitError/noPositions``, or ``FitError/outOfRange(channel:)`` if a variance is beyond float32.
    public func population() throws(FitError) -> PopulationStatistics {
        guard positions > 0 else { throw .noPositions }
        let (mean, variance) = moments()
        return PopulationStatistics(
            label: Self.label,
            mean: try tensor(mean),
            variance: try tensor(variance),
            coverage: Tensor(scalar: Int64(sequences)),
            positions: Tensor(scalar: Double(positions)),
            batches: sequences,
            estimator: .pooled,
            tail: .hold
        )
    }

    private func tensor(_ values: [Double]) throws(FitError) -> Tensor {
        let floats = values.map(Float.init)
        if let channel = floats.firstIndex(where: { !$0.isFinite }) { throw .outOfRange(channel: channel) }
        do {
            return try Tensor(floats, shape: Shape(checking: [channels]))
        } catch {
            throw .tooManyChannels(channels)
        }
    }
}
