import Inference
import ONNXGraph
import Statistics
import TensorCore

/// Runs a training graph on batches, and reads what each says of every site.
struct EstimationRun: Sendable {
    /// What one batch gave.
    struct Observation: Sendable {
        /// In the order of the sites.
        let statistics: [BatchStatistic]
        /// The training graph's own outputs, in its order.
        let outputs: [Tensor]
    }

    /// The length that loops in loops are brought to at first.
    static let firstSteps = 16

    let sites: [FoundSite]
    let graph: EstimationGraph
    let outputNames: [String]
    private let exports: [SiteExports]
    /// For each site those of the loops around it, where they are levelled.
    private let loops: [LoopExports]
    private let names: [String]
    private let positions: [String: Int]
    private let plan: ExecutionPlan
    private let maskSource: SequenceMaskInput
    private let modelInputs: Set<String>

    /// Plans an estimation graph.
    ///
    /// - Parameters:
    ///   - sites: The sites that the graph puts out.
    ///   - graph: The graph.
    ///   - signature: What the model's inputs mean, where that is known.
    ///   - withOutputs: Whether the graph's own outputs are computed too, and all operators run as they are written, so that
    ///     a frozen graph can be compared.
    /// - Throws: ``FreezeError/plan(_:)``.
    init(
        _ sites: [FoundSite],
        _ graph: EstimationGraph,
        signature: Signature?,
        withOutputs: Bool
    ) throws(FreezeError) {
        self.sites = sites
        self.graph = graph
        exports = sites.map { SiteExports($0) }
        loops = graph.stepsInput == nil ? [] : sites.map { LoopExports($0) }
        outputNames = withOutputs ? graph.model.graph.outputs.map(\.name) : []
        var names = outputNames
        var positions: [String: Int] = [:]
        for (index, name) in names.enumerated() { positions[name] = index }
        for export in exports.flatMap(\.all) + loops.flatMap(\.all) {
            guard let name = graph.name(export), positions[name] == nil else { continue }
            positions[name] = names.count
            names.append(name)
        }
        self.names = names
        self.positions = positions
        do throws(PlanError) {
            plan = try ExecutionPlan(graph.model, outputs: names, rewriting: !withOutputs)
        } catch {
            throw .plan(error)
        }
        maskSource = SequenceMaskInput(signature: signature)
        modelInputs = Set(plan.inputNames)
    }

    /// The values that are put out, as the graph gives them.
    func tensors(for batch: TrainingBatch) throws(FreezeError) -> [Export: Tensor] {
        let (values, _) = try runLevelled(batch)
        var tensors: [Export: Tensor] = [:]
        for (export, name) in graph.names {
            if let position = positions[name] { tensors[export] = values[position] }
        }
        return tensors
    }

    /// Runs the graph on a batch.
    ///
    /// - Parameter batch: A batch.
    /// - Returns: What it says of every site.
    /// - Throws: ``FreezeError/run(_:origin:)``, or what is wrong with its positions.
    func observe(_ batch: TrainingBatch) throws(FreezeError) -> Observation {
        let (values, mask) = try runLevelled(batch)
        var statistics: [BatchStatistic] = []
        for (index, site) in sites.enumerated() {
            let flags = loops.isEmpty ? [] : loops[index].flags.map { tensor($0, values) }
            let statistic = try statistic(of: site, exports[index], flags, values)
            if let mask, site.isComputed { try checkPositions(of: site, statistic, mask, batch) }
            statistics.append(statistic)
        }
        return Observation(statistics: statistics, outputs: Array(values.prefix(outputNames.count)))
    }

    private func tensor(_ export: Export?, _ values: [Tensor]) -> Tensor? {
        graph.name(export).flatMap { positions[$0] }.map { values[$0] }
    }

    /// Runs the graph once, and again if a loop in a loop ran more steps than it put out.
    private func runLevelled(
        _ batch: TrainingBatch
    ) throws(FreezeError) -> (values: [Tensor], mask: Tensor?) {
        let result = try run(batch, steps: Self.firstSteps)
        var longest = 0.0
        for export in loops.flatMap(\.longest) {
            longest = max(longest, tensor(export, result.values)?.onlyNumber ?? 0)
        }
        guard longest > Double(Self.firstSteps) else { return result }
        return try run(batch, steps: Int(min(longest, Double(Shape.maximumElementCount))))
    }

    private func run(
        _ batch: TrainingBatch,
        steps: Int
    ) throws(FreezeError) -> (values: [Tensor], mask: Tensor?) {
        var inputs = batch.inputs.filter { modelInputs.contains($0.key) }
        if let name = graph.stepsInput, modelInputs.contains(name) {
            inputs[name] = Tensor(repeating: Int64(steps), shape: [1])
        }
        var mask: Tensor?
        if let name = graph.maskInput, modelInputs.contains(name) {
            let made = try maskSource.mask(of: batch)
            inputs[name] = made
            mask = made
        }
        let values: [Tensor]
        do throws(ExecutionError) {
            values = try plan.run(inputs)
        } catch {
            throw failure(error, batch, mask)
        }
        return (values, mask)
    }

    private func statistic(
        of site: FoundSite,
        _ exports: SiteExports,
        _ flags: [Tensor?],
        _ values: [Tensor]
    ) throws(FreezeError) -> BatchStatistic {
        let depth = site.site.depth
        var statistic = BatchStatistic(
            mean: tensor(exports.mean, values),
            variance: tensor(exports.variance, values),
            count: tensor(exports.count, values),
            total: tensor(exports.total, values),
            reached: tensor(exports.reached, values)
        )
        if depth == 0, let reached = statistic.reached, reached.onlyNumber == 0 {
            return BatchStatistic(reached: reached)
        }
        guard let main = statistic.mean ?? statistic.variance else { return statistic }
        guard [.float32, .float64].contains(main.elementType) else {
            let value = statistic.mean == nil ? site.site.variance : site.site.mean
            throw .notANumber(
                label: value?.label ?? site.site.label,
                elementType: main.elementType.rawValue
            )
        }
        // A loop in a branch that was not taken has run no step.
        guard main.shape.rank >= depth else {
            return BatchStatistic(extents: [Int](repeating: 0, count: depth))
        }
        statistic.extents = Array(main.shape.dimensions.prefix(depth))
        if !flags.isEmpty { StepTrimming(flags, in: statistic.extents).trim(&statistic, site) }
        statistic.count = PositionCount.perStep(statistic.count, depth: site.countDepth, site: depth)
        statistic.total = PositionCount.perStep(statistic.total, depth: site.totalDepth, site: depth)
        return statistic
    }

    /// A normalization must have one position for each of the mask, or one for each sequence.
    private func checkPositions(
        of site: FoundSite,
        _ statistic: BatchStatistic,
        _ mask: Tensor,
        _ batch: TrainingBatch
    ) throws(FreezeError) {
        guard site.site.depth == 0, let total = statistic.total?.onlyNumber else { return }
        let positions = Int(total)
        guard positions != mask.count && positions != mask.shape[0] else { return }
        throw .positionsDiffer(
            label: site.site.label,
            mask: mask.shape.dimensions,
            positions: positions,
            origin: batch.origin
        )
    }

    private func failure(_ error: ExecutionError, _ batch: TrainingBatch, _ mask: Tensor?) -> FreezeError {
        guard let mask, let path = error.innermostPath,
            let site = sites.first(where: { $0.isComputed && path.isWritten(for: $0.site.label) })
        else { return .run(error, origin: batch.origin) }
        return .positionsDiffer(
            label: site.site.label,
            mask: mask.shape.dimensions,
            positions: -1,
            origin: batch.origin
        )
    }
}

extension FoundSite {
    /// How many loops are around the value that counts the positions.
    var countDepth: Int { count?.graph.loops.count ?? site.depth }
    /// How many loops are around the value that counts all positions.
    var totalDepth: Int { total?.graph.loops.count ?? site.depth }
}

extension ExecutionError {
    /// The node that failed, inside of all subgraphs.
    fileprivate var innermostPath: NodePath? {
        guard case .node(let path, _, let reason) = self else { return nil }
        if case .subgraphExecution(let inner) = reason, let innermost = inner.innermostPath {
            return innermost
        }
        return path
    }
}

extension NodePath {
    /// Whether the node was written for a site.
    fileprivate func isWritten(for label: String) -> Bool {
        steps.last?.label.hasPrefix("\(label)/") ?? false
    }
}
