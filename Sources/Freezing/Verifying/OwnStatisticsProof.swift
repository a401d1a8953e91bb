import Inference
import ONNXGraph
import Statistics
import TensorCore
import Verifying

/// Shows that a batch's own statistics, put into the graph, give what the training graph gives for that batch.
struct OwnStatisticsProof {
    let plan: FreezePlan
    /// Puts statistics into the graph: the plan's way, which is what is proved.
    let rewrite: ([SiteStatistics]) throws(FreezeError) -> Model

    /// The largest difference of one batch, and what it may be.
    private struct Comparison {
        var difference = Difference()
        var worst = ""
        var limit = Sensitivity.leastLimit

        var excess: Double { difference.largest / limit }
    }

    /// Compares the two graphs.
    ///
    /// The outputs may differ by what ``Sensitivity`` says; it is measured where they differ by more than its least limit.
    ///
    /// - Parameter batches: Batches of the training graph's inputs.
    /// - Returns: The proof, with the figures of the batch that is nearest to its limit or furthest beyond.
    /// - Throws: ``FreezeError`` if a graph cannot be run at all.
    func proof(_ batches: [TrainingBatch]) throws(FreezeError) -> Proof {
        guard !batches.isEmpty else { return Proof(.ownStatistics, .notApplicable("no batch was given")) }
        guard plan.options.padding != .observe || !plan.found.contains(where: \.isNormalization) else {
            return Proof(
                .ownStatistics,
                .notApplicable("the training graph runs on other statistics than those estimated")
            )
        }
        var worst: Comparison?
        var checked = 0
        for batch in batches {
            guard let comparison = try comparison(on: batch) else { continue }
            checked += comparison.difference.count
            if comparison.excess >= worst?.excess ?? 0 { worst = comparison }
        }
        guard let worst else {
            return Proof(
                .ownStatistics,
                .notApplicable("the batches have more steps than the file's statistics")
            )
        }
        return Proof(
            .ownStatistics,
            worst.difference.largest <= worst.limit ? .held : .failed("output \(worst.worst) differs"),
            checked: checked,
            largestDifference: worst.difference.largest,
            tolerance: worst.limit
        )
    }

    /// Nil if a recalibrated graph has no statistics for so many steps.
    private func comparison(on batch: TrainingBatch) throws(FreezeError) -> Comparison? {
        var training = try TrainingRun(plan, withOutputs: true)
        let (observation, run) = try training.observe(batch)
        guard fits(observation) else { return nil }
        let own = zip(plan.found, observation.statistics).map(Self.statistics)
        let running = runningStatistics()
        let outputs = run.outputNames.indices.filter { !running.contains(run.outputNames[$0]) }
        let names = outputs.map { run.outputNames[$0] }
        let frozen = try values(of: names, with: own, on: batch)
        var comparison = Comparison()
        for (index, value) in zip(outputs, frozen) {
            let before = comparison.difference.largest
            comparison.difference.add(observation.outputs[index], value)
            if comparison.difference.largest > before { comparison.worst = run.outputNames[index] }
        }
        guard comparison.difference.largest > Sensitivity.leastLimit else { return comparison }
        var movement = Difference()
        for pattern in 1...2 as ClosedRange<UInt64> {
            let changed = Sensitivity.changed(own, pattern: pattern)
            for (value, other) in zip(frozen, try values(of: names, with: changed, on: batch)) {
                movement.add(value, other)
            }
        }
        comparison.limit = Sensitivity.limit(movement: movement.largest)
        return comparison
    }

    /// What the graph gives with statistics put in.
    private func values(
        of names: [String],
        with statistics: [SiteStatistics],
        on batch: TrainingBatch
    ) throws(FreezeError) -> [Tensor] {
        let model = try rewrite(statistics)
        let plan: ExecutionPlan
        do throws(PlanError) {
            plan = try ExecutionPlan(model, outputs: names, rewriting: false)
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
}
