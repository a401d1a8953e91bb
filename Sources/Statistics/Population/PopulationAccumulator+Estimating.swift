internal import TensorCore

extension PopulationAccumulator {
    /// The most numbers that an estimate may have.
    static let maximumElementCount = 1 << 28

    /// The population's statistics.
    ///
    /// A step that no batch reached, or for ``Estimator/pooled`` one without a valid position, has the statistics of the last
    /// such step before it on the innermost axis where there is one.
    ///
    /// - Parameters:
    ///   - estimator: How the batches are put together.
    ///   - tail: What a batch says of steps after its last; no difference to ``Estimator/pooled``.
    /// - Returns: Statistics for every step up to the longest extents.
    /// - Throws: ``StatisticsError/estimatorNeeds(_:_:label:)``, ``StatisticsError/neverReached(label:)``,
    ///   ``StatisticsError/noPositions(label:)``, ``StatisticsError/notFinite(_:label:step:)``,
    ///   ``StatisticsError/negativeVariance(label:step:)``, or ``StatisticsError/tooLarge(label:steps:channels:)``.
    /// - Complexity: O(steps * channels * 2^depth).
    public func estimate(_ estimator: Estimator, tail: Tail) throws(StatisticsError) -> PopulationStatistics {
        try checkParts(for: estimator)
        let channels = channelCount ?? 0
        guard let plain, let grid = StepGrid(extents, limit: Self.maximumElementCount / max(1, channels))
        else {
            guard plain == nil else { throw .tooLarge(label: label, steps: extents, channels: channels) }
            throw .neverReached(label: label)
        }
        let reached = StepSums(plain, grid, axes: 0, taking: 0..<0)
        guard reached.batches.contains(where: { $0 > 0 }) else { throw .neverReached(label: label) }
        let values = try values(estimator, tail, plain, grid)
        return PopulationStatistics(
            label: label,
            mean: try tensor(values.mean, .mean, meanLayout, grid),
            variance: try tensor(values.variance, .variance, varianceLayout, grid),
            coverage: try tensor(reached.batches.map(Int64.init), grid),
            positions: parts.contains(.count) ? try tensor(positions(grid), grid) : nil,
            batches: batches,
            estimator: estimator,
            tail: estimator == .pooled ? .hold : tail
        )
    }

    private func checkParts(for estimator: Estimator) throws(StatisticsError) {
        let needed: [StatisticPart] =
            switch estimator {
            case .pooled: [.mean, .count]
            case .meanOfBatches: []
            case .gist: [.mean, .variance, .count, .total]
            }
        for part in needed where !parts.contains(part) {
            throw .estimatorNeeds(part, estimator, label: label)
        }
    }

    private typealias Values = (mean: [Double]?, variance: [Double]?)

    private func values(
        _ estimator: Estimator,
        _ tail: Tail,
        _ plain: CellTable,
        _ grid: StepGrid
    ) throws(StatisticsError) -> Values {
        guard estimator != .pooled else { return try pooled(grid) }
        let variance: PlainPart = estimator == .gist ? .gist : .variance
        return (
            parts.contains(.mean) ? try average(.mean, tail, plain, grid) : nil,
            parts.contains(.variance) ? try average(variance, tail, plain, grid) : nil
        )
    }

    /// The mean over batches, `[T..., C]`.
    private func average(
        _ part: PlainPart,
        _ tail: Tail,
        _ plain: CellTable,
        _ grid: StepGrid
    ) throws(StatisticsError) -> [Double] {
        let range = plainRange(part)
        var all = StepSums(plain, grid, axes: 0, taking: range)
        if tail == .repeat {
            for axes in 1..<(1 << depth) {
                var ended = StepSums(plain, grid, axes: axes, taking: range)
                for axis in 0..<depth where axes >> axis & 1 == 1 { ended.sumBefore(on: axis) }
                all.merge(ended)
            }
        }
        guard let sources = grid.holding({ all.batches[$0] > 0 }) else { throw .neverReached(label: label) }
        return sources.flatMap { cell in
            (0..<range.count).map { all.sums.value(at: cell * range.count + $0) / Double(all.batches[cell]) }
        }
    }

    /// The mean and the variance over positions, `[T..., C]`.
    private func pooled(_ grid: StepGrid) throws(StatisticsError) -> Values {
        guard let weighted else { throw .noPositions(label: label) }
        var places = [Int?](repeating: nil, count: grid.count)
        for (place, cell) in weighted.cells.enumerated() { places[grid.index(of: cell)] = place }
        guard let sources = grid.holding({ places[$0] != nil }) else { throw .noPositions(label: label) }
        let channels = channelCount ?? 0
        var mean: [Double] = []
        var variance: [Double] = []
        for source in sources {
            let first = (places[source] ?? 0) * weighted.width
            for channel in 0..<channels {
                let squares = first + 1 + channels + channel
                let moments = PooledMoments(
                    count: weighted.sums.number(at: first),
                    sum: weighted.sums.number(at: first + 1 + channel),
                    squares: parts.contains(.variance) ? weighted.sums.number(at: squares) : nil
                )
                mean.append(moments.mean)
                variance.append(moments.variance)
            }
        }
        return (mean, parts.contains(.variance) ? variance : nil)
    }

    private func positions(_ grid: StepGrid) -> [Double] {
        var positions = [Double](repeating: 0, count: grid.count)
        guard let weighted else { return positions }
        for (place, cell) in weighted.cells.enumerated() {
            positions[grid.index(of: cell)] = weighted.sums.value(at: place * weighted.width)
        }
        return positions
    }

    private func tensor(
        _ values: [Double]?,
        _ part: StatisticPart,
        _ layout: Layout?,
        _ grid: StepGrid
    ) throws(StatisticsError) -> Tensor? {
        guard let values, let layout else { return nil }
        let channels = max(1, layout.channels.elementCount)
        for (index, value) in values.enumerated() {
            let step = grid.steps(of: index / channels)
            guard value.isFinite else { throw .notFinite(part, label: label, step: step) }
            guard part == .mean || value >= 0 else { throw .negativeVariance(label: label, step: step) }
        }
        do {
            let shape = try Shape(checking: grid.lengths + layout.channels.dimensions)
            return layout.elementType == .float64
                ? try Tensor(values, shape: shape) : try Tensor(values.map(Float.init), shape: shape)
        } catch {
            throw .tooLarge(label: label, steps: grid.lengths, channels: channels)
        }
    }

    private func tensor<T: TensorElement>(_ values: [T], _ grid: StepGrid) throws(StatisticsError) -> Tensor {
        do {
            return try Tensor(values, shape: Shape(checking: grid.lengths))
        } catch {
            throw .tooLarge(label: label, steps: grid.lengths, channels: 1)
        }
    }
}
