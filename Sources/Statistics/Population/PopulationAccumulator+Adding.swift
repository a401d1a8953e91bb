extension PopulationAccumulator {
    /// The most batches that can be counted.
    static let maximumBatches = 1 << 53

    /// Adds what one batch says; nothing is added if it throws.
    ///
    /// - Parameter batch: What ``checked(_:)`` takes.
    /// - Throws: What ``checked(_:)`` throws.
    /// - Complexity: O(elements).
    public mutating func add(_ batch: BatchStatistic) throws(StatisticsError) { add(try checked(batch)) }

    /// What one batch says, ready to be added.
    public struct CheckedBatch: Sendable {
        let reading: BatchReading
    }

    /// Looks at what one batch says, and adds nothing.
    ///
    /// Where a batch has no valid position (its count is 0), its values weigh nothing for ``Estimator/pooled`` and may be NaN;
    /// the other estimators take them like any other.
    ///
    /// - Parameter batch: At least the parts of ``parts``; others are not read.
    /// - Returns: The batch, to be passed to ``add(_:)-(CheckedBatch)`` before any other.
    /// - Throws: ``StatisticsError`` if a part is missing, has another shape or element type than in earlier batches, or
    ///   is not finite, or if a count is not a number of positions.
    /// - Complexity: O(elements).
    public func checked(_ batch: BatchStatistic) throws(StatisticsError) -> CheckedBatch {
        let reading = try BatchReading(batch, for: self)
        guard batches < Self.maximumBatches else { throw .tooManyBatches(label: label) }
        return CheckedBatch(reading: reading)
    }

    /// Adds a batch that was looked at.
    ///
    /// - Parameter batch: What ``checked(_:)`` of this accumulator gave; nothing was added since.
    /// - Complexity: O(elements).
    public mutating func add(_ batch: CheckedBatch) {
        let reading = batch.reading
        meanLayout = reading.meanLayout
        varianceLayout = reading.varianceLayout
        batches += 1
        extents = zip(extents, reading.grid.lengths).map { max($0, $1) }
        var plain = plain ?? CellTable(width: plainWidth)
        var weighted = parts.contains(.count) ? self.weighted ?? CellTable(width: weightedWidth) : nil
        // The table's memory must not have two owners while it is written.
        self.plain = nil
        self.weighted = nil
        for cell in 0..<reading.grid.count where reading.isReached[cell] {
            addPlain(reading, cell, to: &plain)
            if weighted != nil { addWeighted(reading, cell, to: &weighted) }
        }
        self.plain = plain
        self.weighted = weighted
    }

    private func addPlain(_ reading: BatchReading, _ cell: Int, to table: inout CellTable) {
        let steps = reading.grid.steps(of: cell)
        let lastAxes = reading.ends.lastAxes(of: steps) ?? []
        let channels = channelCount ?? 0
        let source = cell * channels
        for subset in 0..<(1 << lastAxes.count) {
            var axes = 0
            for (bit, axis) in lastAxes.enumerated() where subset >> bit & 1 == 1 { axes |= 1 << axis }
            let place = table.place(of: [axes] + steps)
            table.addBatch(at: place) { sums, first in
                var target = first
                for values in [reading.mean, reading.variance, reading.gist] {
                    guard let values else { continue }
                    sums.add(values[source..<(source + channels)], at: target)
                    target += channels
                }
            }
        }
    }

    private func addWeighted(_ reading: BatchReading, _ cell: Int, to table: inout CellTable?) {
        guard let count = reading.counts?[cell], count > 0 else { return }
        let place = table?.place(of: reading.grid.steps(of: cell)) ?? 0
        let channels = channelCount ?? 0
        let source = cell * channels
        table?.addBatch(at: place) { sums, first in
            sums.add(count, at: first)
            guard let mean = reading.mean?[source..<(source + channels)] else { return }
            sums.add(mean, times: count, at: first + 1)
            guard let variance = reading.variance?[source..<(source + channels)] else { return }
            sums.add(variance, times: count, at: first + 1 + channels)
            sums.addSquares(of: mean, times: count, at: first + 1 + channels)
        }
    }

    /// Adds the batches of another accumulator.
    ///
    /// - Parameter other: An accumulator of the same statistic, from other batches.
    /// - Throws: ``StatisticsError/notMergeable(label:other:)`` if label, depth or parts differ, ``StatisticsError``
    ///   if the batches' shapes or element types do; nothing is added then.
    /// - Complexity: O(cells of `other`).
    public mutating func merge(_ other: PopulationAccumulator) throws(StatisticsError) {
        guard label == other.label, depth == other.depth, parts == other.parts else {
            throw .notMergeable(label: label, other: other.label)
        }
        guard batches <= Self.maximumBatches - other.batches else { throw .tooManyBatches(label: label) }
        try check(.mean, meanLayout, other.meanLayout)
        try check(.variance, varianceLayout, other.varianceLayout)
        guard other.batches > 0 else { return }
        guard batches > 0 else { return self = other }
        batches += other.batches
        extents = zip(extents, other.extents).map { max($0, $1) }
        if let table = other.plain { plain?.merge(table) }
        if let table = other.weighted { weighted?.merge(table) }
    }

    private func check(_ part: StatisticPart, _ mine: Layout?, _ other: Layout?) throws(StatisticsError) {
        guard let mine, let other, mine != other else { return }
        guard mine.elementType == other.elementType else {
            throw .elementTypeDiffers(
                part,
                label: label,
                expected: mine.elementType,
                actual: other.elementType
            )
        }
        throw .channelsDiffer(
            part,
            label: label,
            expected: mine.channels.dimensions,
            actual: other.channels.dimensions
        )
    }
}
