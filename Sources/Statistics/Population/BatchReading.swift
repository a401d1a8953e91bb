internal import TensorCore

/// A batch's statistics, checked and as doubles.
struct BatchReading {
    let grid: StepGrid
    let mean: [Double]?
    let variance: [Double]?
    let meanLayout: PopulationAccumulator.Layout?
    let varianceLayout: PopulationAccumulator.Layout?
    /// A number a cell.
    let counts: [Double]?
    /// A number a cell.
    let totals: [Double]?
    /// A flag a cell.
    let isReached: [Bool]
    let ends: StepEnds
    /// Variances as sums over `(mask * x - mean)^2` give them; nil if a part is not known.
    private(set) var gist: [Double]?

    init(_ batch: BatchStatistic, for accumulator: PopulationAccumulator) throws(StatisticsError) {
        let reader = PartReader(batch: batch, accumulator: accumulator)
        let label = accumulator.label
        guard batch.extents.count == accumulator.depth else {
            throw .depthDiffers(label: label, expected: accumulator.depth, actual: batch.extents.count)
        }
        guard let grid = StepGrid(batch.extents, limit: Shape.maximumElementCount) else {
            throw .tooLarge(label: label, steps: batch.extents, channels: 1)
        }
        self.grid = grid
        guard let ends = StepEnds(grid, steps: batch.steps) else {
            throw .stepsDiffer(label: label, extents: batch.extents)
        }
        self.ends = ends
        (mean, meanLayout) = try reader.values(.mean, batch.mean, accumulator.meanLayout)
        (variance, varianceLayout) = try reader.values(.variance, batch.variance, accumulator.varianceLayout)
        if let meanLayout, let varianceLayout,
            meanLayout.channels.elementCount != varianceLayout.channels.elementCount
        {
            throw .unequalChannels(
                label: label,
                mean: meanLayout.channels.dimensions,
                variance: varianceLayout.channels.dimensions
            )
        }
        guard mean != nil || variance != nil else { throw .missing(.mean, label: label) }
        counts = try reader.numbers(.count, batch.count, grid)
        totals = try reader.numbers(.total, batch.total, grid)
        let flags = try batch.reached.map { reached throws(StatisticsError) in
            try reader.spread(.count, reached, grid)
        }
        isReached = (0..<grid.count).map { cell in
            flags?[cell] != 0 && (batch.steps.isEmpty || ends.lastAxes(of: grid.steps(of: cell)) != nil)
        }
        try checkNumbers(label: label)
        try checkValues(.mean, mean, label: label)
        try checkValues(.variance, variance, label: label)
        if accumulator.hasGist { gist = gistVariances() }
    }

    private func gistVariances() -> [Double]? {
        guard let mean, let variance, let counts, let totals, grid.count > 0 else { return variance }
        let channels = mean.count / grid.count
        return mean.indices.map { index in
            let cell = index / channels
            guard mean[index] != 0 else { return variance[index] }
            return variance[index] + (totals[cell] - counts[cell]) / counts[cell]
                * (mean[index] * mean[index])
        }
    }

    private func checkNumbers(label: String) throws(StatisticsError) {
        for (part, numbers) in [(StatisticPart.count, counts), (.total, totals)] {
            for (cell, number) in (numbers ?? []).enumerated() where isReached[cell] {
                guard number >= 0 && number.isFinite else {
                    throw .invalidCount(part, label: label, step: grid.steps(of: cell))
                }
            }
        }
        guard let counts, let totals else { return }
        for cell in counts.indices where isReached[cell] && counts[cell] > totals[cell] {
            throw .invalidCount(.count, label: label, step: grid.steps(of: cell))
        }
    }

    /// Values must be finite, except where a batch has no valid position: there a graph may divide 0 by 0.
    private func checkValues(
        _ part: StatisticPart,
        _ values: [Double]?,
        label: String
    ) throws(StatisticsError) {
        guard let values, grid.count > 0 else { return }
        let channels = values.count / grid.count
        for cell in 0..<grid.count where isReached[cell] && counts?[cell] != 0 {
            for index in (cell * channels)..<((cell + 1) * channels) where !values[index].isFinite {
                throw .notFinite(part, label: label, step: grid.steps(of: cell))
            }
        }
    }
}

/// Reads the parts of a batch.
private struct PartReader {
    let batch: BatchStatistic
    let accumulator: PopulationAccumulator

    private var label: String { accumulator.label }

    func values(
        _ part: StatisticPart,
        _ tensor: Tensor?,
        _ earlier: PopulationAccumulator.Layout?
    ) throws(StatisticsError) -> ([Double]?, PopulationAccumulator.Layout?) {
        guard accumulator.parts.contains(part) else { return (nil, nil) }
        guard let tensor else { throw .missing(part, label: label) }
        let dimensions = tensor.shape.dimensions
        guard dimensions.starts(with: batch.extents) else {
            throw .extentsDiffer(part, label: label, extents: batch.extents, shape: dimensions)
        }
        var channels = tensor.shape
        for _ in batch.extents { channels = channels.removing(axis: 0) }
        let values: [Double]
        switch tensor.elementType {
        case .float32: values = tensor.withElements(of: Float.self) { $0.map(Double.init) }
        case .float64: values = tensor.array(of: Double.self)
        default: throw .unsupportedElementType(tensor.elementType, part, label: label)
        }
        if let earlier {
            guard earlier.elementType == tensor.elementType else {
                throw .elementTypeDiffers(
                    part,
                    label: label,
                    expected: earlier.elementType,
                    actual: tensor.elementType
                )
            }
            guard earlier.channels == channels else {
                throw .channelsDiffer(
                    part,
                    label: label,
                    expected: earlier.channels.dimensions,
                    actual: channels.dimensions
                )
            }
        }
        return (values, .init(channels: channels, elementType: tensor.elementType))
    }

    func numbers(
        _ part: StatisticPart,
        _ tensor: Tensor?,
        _ grid: StepGrid
    ) throws(StatisticsError) -> [Double]? {
        guard accumulator.parts.contains(part) else { return nil }
        guard let tensor else { throw .missing(part, label: label) }
        return try spread(part, tensor, grid)
    }

    /// One number a cell of numbers for some of the loops, outermost first.
    func spread(
        _ part: StatisticPart,
        _ tensor: Tensor,
        _ grid: StepGrid
    ) throws(StatisticsError) -> [Double] {
        guard let numbers = tensor.numbers else {
            throw .unsupportedElementType(tensor.elementType, part, label: label)
        }
        let dimensions = tensor.shape.dimensions
        var known = 0
        while known < min(dimensions.count, grid.lengths.count), dimensions[known] == grid.lengths[known] {
            known += 1
        }
        guard dimensions[known...].allSatisfy({ $0 == 1 }) else {
            throw .countShape(part, label: label, extents: grid.lengths, shape: dimensions)
        }
        guard numbers.count != grid.count else { return numbers }
        let repeats = grid.lengths[known...].reduce(1, *)
        return numbers.flatMap { repeatElement($0, count: repeats) }
    }
}

extension Tensor {
    /// All elements as doubles; nil for 16-bit floats.
    fileprivate var numbers: [Double]? {
        switch elementType {
        case .float32: array(of: Float.self).map(Double.init)
        case .float64: array(of: Double.self)
        case .int8: array(of: Int8.self).map(Double.init)
        case .int16: array(of: Int16.self).map(Double.init)
        case .int32: array(of: Int32.self).map(Double.init)
        case .int64: array(of: Int64.self).map(Double.init)
        case .uint8: array(of: UInt8.self).map(Double.init)
        case .uint16: array(of: UInt16.self).map(Double.init)
        case .uint32: array(of: UInt32.self).map(Double.init)
        case .uint64: array(of: UInt64.self).map(Double.init)
        case .bool: array(of: Bool.self).map { $0 ? 1 : 0 }
        default: nil
        }
    }
}
