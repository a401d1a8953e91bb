import ONNXGraph
import TensorCore

/// Runs a training graph on batch after batch, prepared for what the first ones turn out to need.
struct TrainingRun: Sendable {
    let plan: FreezePlan
    let withOutputs: Bool
    private var run: EstimationRun?
    private var levelsSteps: Bool

    /// A run of a plan's training graph.
    ///
    /// - Parameters:
    ///   - plan: The plan.
    ///   - withOutputs: Whether the graph's own outputs are computed too.
    /// - Throws: ``FreezeError/plan(_:)`` if the graph cannot be run.
    init(_ plan: FreezePlan, withOutputs: Bool) throws(FreezeError) {
        self.plan = plan
        self.withOutputs = withOutputs
        let graphs = plan.found.map(\.site.path.graph)
        levelsSteps = graphs.contains { $0.hasLoopOutsideBranch && $0.hasLoopInsideBranch }
        guard !graphs.contains(where: \.hasLoopOutsideBranch) else { return }
        run = try plan.run(withOutputs: withOutputs, branchShapes: [:], levelsSteps: levelsSteps)
    }

    /// Runs the graph on a batch.
    ///
    /// Where that fails because a loop in a loop does not run the same number of steps each time, the graph is prepared for it.
    ///
    /// - Parameter batch: A batch.
    /// - Returns: What it says of every site, and the run that told it.
    /// - Throws: ``FreezeError/run(_:origin:)``, or what is wrong with its positions.
    mutating func observe(
        _ batch: TrainingBatch
    ) throws(FreezeError) -> (observation: EstimationRun.Observation, run: EstimationRun) {
        let first: EstimationRun
        do throws(FreezeError) {
            first = try prepared(for: batch)
            return (try first.observe(batch), first)
        } catch {
            guard case .run = error, !levelsSteps, plan.found.contains(where: { $0.site.depth > 1 }) else {
                throw error
            }
            var levelled = self
            levelled.run = nil
            levelled.levelsSteps = true
            do throws(FreezeError) {
                let other = try levelled.prepared(for: batch)
                let observation = try other.observe(batch)
                self = levelled
                return (observation, other)
            } catch .unsupportedOpset(let opset, let reason) {
                throw .unsupportedOpset(opset, reason: reason)
            } catch _ {
                throw error
            }
        }
    }

    private mutating func prepared(for batch: TrainingBatch) throws(FreezeError) -> EstimationRun {
        if let run { return run }
        let shapes = try BranchShapes.learn(plan, from: batch, levelsSteps: levelsSteps)
        let made = try plan.run(withOutputs: withOutputs, branchShapes: shapes, levelsSteps: levelsSteps)
        run = made
        return made
    }
}
