import Statistics

/// Estimates the statistics of a plan's sites over a stream of batches, in memory that does not grow with their number.
///
/// ```swift
/// var estimator = try StatisticEstimator(plan)
/// for batch in batches { try estimator.add(batch) }
/// let frozen = try plan.freeze(estimator.state, checking: [first])
/// ```
/// The training graph runs as it is, so that each statistic is computed from values that the batch's own statistics before
/// it have normalized.
public struct StatisticEstimator: Sendable {
    /// What is being estimated.
    public let plan: FreezePlan
    private var run: TrainingRun
    /// What the batches have said so far.
    public private(set) var state: PartialStatistics

    /// An estimator that has seen no batch.
    ///
    /// - Parameter plan: The plan.
    /// - Throws: ``FreezeError/plan(_:)`` if the training graph cannot be run.
    public init(_ plan: FreezePlan) throws(FreezeError) {
        self.plan = plan
        state = try PartialStatistics(
            model: plan.modelDigest(),
            settings: ["padding": plan.options.padding.rawValue],
            accumulators: plan.found.map { $0.accumulator }
        )
        run = try TrainingRun(plan, withOutputs: false)
    }

    /// Runs the training graph on a batch and adds what it says.
    ///
    /// - Parameter batch: The inputs of the training graph.
    /// - Throws: ``FreezeError/run(_:origin:)`` if the graph cannot be run on it, ``FreezeError/statistics(_:origin:)`` if
    ///   what it says does not fit; the estimator then is as it was before.
    public mutating func add(_ batch: TrainingBatch) throws(FreezeError) {
        let (observation, estimation) = try run.observe(batch)
        if state.batches == 0 { try BatchDependence.check(observation, of: batch, estimation) }
        // All are looked at before the first is added, so that a batch is added as a whole and nothing is copied.
        var checked: [(index: Int, batch: PopulationAccumulator.CheckedBatch)] = []
        for (index, observed) in observation.statistics.enumerated() where !observed.isSilent {
            let statistic = plan.found[index].isComputed ? observed.withoutEmptySteps() : observed
            do throws(StatisticsError) {
                checked.append((index, try state.accumulators[index].checked(statistic)))
            } catch {
                throw .statistics(error, origin: batch.origin)
            }
        }
        for (index, batch) in checked { state.accumulators[index].add(batch) }
        var digest = DataDigest()
        digest.add(batch.inputs)
        let mask = SequenceMaskInput(signature: plan.signature)
        state.count(
            digest,
            sequences: mask.sequences(of: batch) ?? 0,
            positions: mask.positions(of: batch) ?? 0
        )
    }
}

extension BatchStatistic {
    /// Whether the batch took no way on which the statistic is computed.
    fileprivate var isSilent: Bool { mean == nil && variance == nil }
}

extension FoundSite {
    /// An accumulator for what batches will say of the site.
    var accumulator: PopulationAccumulator {
        var parts: Set<StatisticPart> = []
        if site.mean != nil { parts.insert(.mean) }
        if site.variance != nil { parts.insert(.variance) }
        if site.count != nil { parts.insert(.count) }
        if site.count != nil && site.total != nil { parts.insert(.total) }
        return PopulationAccumulator(label: site.label, depth: site.depth, parts: parts)
    }
}
