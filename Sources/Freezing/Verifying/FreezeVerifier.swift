import ONNXGraph

/// Shows that a frozen graph is what it should be.
struct FreezeVerifier {
    let plan: FreezePlan
    let frozen: Model

    /// All proofs that can be looked at.
    ///
    /// - Parameter batches: Batches of the training graph's inputs; none skips what needs data.
    /// - Returns: One proof of each kind.
    /// - Throws: ``FreezeError`` if a graph cannot be run at all.
    func proofs(_ batches: [TrainingBatch]) throws(FreezeError) -> [Proof] {
        [
            try noStatisticLeft(),
            try OwnStatisticsProof(plan: plan, rewrite: plan.rewritten).proof(batches),
            try freezingAgain(),
            AloneProof(model: frozen, signature: plan.signature).proof(batches),
        ]
    }

    private func noStatisticLeft() throws(FreezeError) -> Proof {
        do throws(ModelError) { try frozen.validate() } catch { throw .model(error) }
        // Labels and names given by the caller are gone with their values; what remains to be found is in the graph.
        var options = plan.options
        options.statistics = []
        let left = try StatisticFinder.sites(in: frozen, options: options)
        guard let first = left.first else {
            return Proof(.noStatisticLeft, .held, checked: plan.sites.count)
        }
        return Proof(
            .noStatisticLeft,
            .failed("\(first.site.label) at \(first.site.path)"),
            checked: plan.sites.count
        )
    }

    private func freezingAgain() throws(FreezeError) -> Proof {
        var options = plan.options
        options.statistics = []
        let sites = try StatisticFinder.sites(in: frozen, options: options)
        let again = GraphRewriter.rewrite(frozen, sites, sites.map { _ in SiteStatistics() })
        return Proof(
            .freezingAgain,
            again == frozen ? .held : .failed("the graph changes"),
            checked: frozen.graph.nodeCount
        )
    }
}
