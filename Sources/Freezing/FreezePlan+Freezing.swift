import ONNXGraph
import Statistics
import TensorCore

extension FreezePlan {
    /// Puts the statistics of the population into the graph, and shows that the result is right.
    ///
    /// - Parameters:
    ///   - state: What batches said of the sites.
    ///   - batches: Batches that the frozen graph is checked with; the first one or two of the data do.
    ///   - source: What the graph does not know of the freeze.
    /// - Returns: The frozen graph; nothing is written.
    /// - Throws: ``FreezeError/noData``, ``FreezeError/foreignState(_:)``, ``FreezeError/statistics(_:origin:)`` if a
    ///   statistic cannot be estimated, or ``FreezeError/proofFailed(_:)``.
    public func freeze(
        _ state: PartialStatistics,
        checking batches: [TrainingBatch],
        source: Provenance.Source
    ) throws(FreezeError) -> FrozenModel {
        guard state.accumulators.map(\.label) == sites.map(\.label) else {
            throw .foreignState("it has statistics of other normalizations")
        }
        guard state.batches > 0 else { throw .noData }
        var statistics: [PopulationStatistics] = []
        for (site, accumulator) in zip(sites, state.accumulators) {
            do throws(StatisticsError) {
                statistics.append(try accumulator.estimate(estimator(of: site), tail: options.tail))
            } catch {
                throw .statistics(error, origin: "the population")
            }
        }
        var frozen = try rewritten(
            with: statistics.map { SiteStatistics(mean: $0.mean, variance: $0.variance) }
        )
        let provenance = Provenance(self, state, statistics, source)
        frozen.metadata[Provenance.key] = provenance.json
        let proofs = try FreezeVerifier(plan: self, frozen: frozen).proofs(batches)
        for proof in proofs where proof.kind != .aloneEqualsBatch {
            if case .failed = proof.outcome { throw .proofFailed(proof) }
        }
        return FrozenModel(
            model: frozen,
            sites: sites,
            statistics: statistics,
            provenance: provenance,
            proofs: proofs,
            warnings: warnings + proofs.compactMap(\.warning)
        )
    }
}

extension Proof {
    /// What a person should know of a proof that did not hold but does not stand in the way.
    fileprivate var warning: String? {
        guard kind == .aloneEqualsBatch, case .failed = outcome else { return nil }
        return description
    }
}

extension Provenance {
    init(
        _ plan: FreezePlan,
        _ state: PartialStatistics,
        _ statistics: [PopulationStatistics],
        _ source: Source
    ) {
        self.init(
            tool: "seqnorm",
            toolVersion: source.toolVersion,
            modelDigest: source.modelDigest ?? state.model,
            data: source.data,
            dataDigest: state.data.description,
            batches: state.batches,
            sequences: state.sequences,
            positions: state.positions,
            padding: plan.options.padding,
            varianceDivisor: "biased",
            isRecalibration: plan.isRecalibration,
            sites: zip(plan.sites, statistics).map { site, statistic in
                Site(
                    label: site.label,
                    origin: site.origin,
                    estimator: statistic.estimator,
                    tail: statistic.tail,
                    steps: statistic.coverage.shape.dimensions,
                    leastCoverage: statistic.coverage.array(of: Int64.self).min() ?? 0,
                    positions: statistic.positions?.numbers?.reduce(0, +)
                )
            }
        )
    }
}
