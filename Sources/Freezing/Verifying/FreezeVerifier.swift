import Inference
import ONNXGraph
import Statistics
import TensorCore

/// Shows that a frozen graph is what it should be.
struct FreezeVerifier {
    /// The largest relative difference allowed where two graphs compute the same by different operators.
    static let tolerance = 1e-3

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
            try ownStatistics(batches),
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
        let again = try GraphRewriter.rewrite(frozen, sites, sites.map { _ in SiteStatistics() })
        return Proof(
            .freezingAgain,
            again == frozen ? .held : .failed("the graph changes"),
            checked: frozen.graph.nodeCount
        )
    }

    private func ownStatistics(_ batches: [TrainingBatch]) throws(FreezeError) -> Proof {
        guard !batches.isEmpty else { return Proof(.ownStatistics, .notApplicable("no batch was given")) }
        guard plan.options.padding != .observe || !plan.found.contains(where: \.isNormalization) else {
            return Proof(
                .ownStatistics,
                .notApplicable("the training graph runs on other statistics than those estimated")
            )
        }
        var difference = Difference()
        var worst = ""
        var compared = 0
        let running = runningStatistics()
        for batch in batches {
            let shapes = try BranchShapes.learn(plan, from: batch)
            let run = try plan.run(withOutputs: true, branchShapes: shapes)
            let observation = try run.observe(batch)
            guard fits(observation) else { continue }
            compared += 1
            let own = zip(plan.found, observation.statistics).map(Self.statistics)
            let graph = try plan.rewritten(with: own)
            let outputs = try Self.run(graph, run.outputNames, on: batch)
            for (name, pair) in zip(run.outputNames, zip(observation.outputs, outputs))
            where !running.contains(name) {
                let before = difference.largest
                difference.add(pair.0, pair.1)
                if difference.largest > before { worst = name }
            }
        }
        guard compared > 0 else {
            return Proof(
                .ownStatistics,
                .notApplicable("the batches have more steps than the file's statistics")
            )
        }
        let holds = difference.largest <= Self.tolerance
        return Proof(
            .ownStatistics,
            holds ? .held : .failed("output \(worst) differs"),
            checked: difference.count,
            largestDifference: difference.largest,
            tolerance: Self.tolerance
        )
    }

    /// The values of the model's own graph that are made of running statistics, which a frozen graph has none of.
    private func runningStatistics() -> Set<String> {
        let nodes = plan.model.graph.nodes
        var names: Set<String> = []
        for found in plan.found where found.isNormalization && found.site.path.graph == .root {
            guard let index = found.site.path.steps.last?.index, nodes.indices.contains(index) else {
                continue
            }
            names.formUnion(nodes[index].outputs.dropFirst().filter { !$0.isEmpty })
        }
        guard !names.isEmpty else { return [] }
        for node in nodes where !GraphReads.names(readBy: node).isDisjoint(with: names) {
            names.formUnion(node.outputs)
        }
        return names
    }

    /// Whether a batch has no more steps than a frozen graph has statistics for, which a recalibration keeps.
    private func fits(_ observation: EstimationRun.Observation) -> Bool {
        for (former, statistic) in zip(plan.formerStatistics, observation.statistics) {
            guard let mean = former.mean else { continue }
            let steps = mean.shape.dimensions.prefix(statistic.extents.count)
            if zip(statistic.extents, steps).contains(where: { $0 > $1 }) { return false }
        }
        return true
    }

    /// What a batch says of a site, as constants; a loop that it did not run gets one step of zeros.
    private static func statistics(_ site: FoundSite, _ statistic: BatchStatistic) -> SiteStatistics {
        func filled(_ tensor: Tensor?) -> Tensor? {
            guard let tensor else { return nil }
            guard tensor.count == 0,
                let shape = try? Shape(checking: tensor.shape.dimensions.map { max(1, $0) })
            else { return tensor }
            return Tensor.zeros(tensor.elementType, shape)
        }
        func given(_ tensor: Tensor?, _ value: StatisticValue?) -> Tensor? {
            guard value != nil else { return nil }
            let steps = [Int](repeating: 1, count: site.site.depth)
            let none = (try? Shape(checking: steps)).map { Tensor.zeros(.float32, $0) }
            return filled(tensor) ?? none
        }
        return SiteStatistics(
            mean: given(statistic.mean, site.site.mean),
            variance: given(statistic.variance, site.site.variance)
        )
    }

    private static func run(
        _ model: Model,
        _ outputs: [String],
        on batch: TrainingBatch
    ) throws(FreezeError) -> [Tensor] {
        let plan: ExecutionPlan
        do throws(PlanError) {
            plan = try ExecutionPlan(model, outputs: outputs, rewriting: false)
        } catch {
            throw .plan(error)
        }
        let inputs = batch.inputs.filter { plan.inputNames.contains($0.key) }
        do throws(ExecutionError) {
            return try plan.run(inputs)
        } catch {
            throw .run(error, origin: batch.origin)
        }
    }
}
