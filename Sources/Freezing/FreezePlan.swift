public import Inference
public import ONNXGraph
public import Statistics
import TensorCore

/// What will be frozen in a training graph, and how.
///
/// ```swift
/// let plan = try FreezePlan(model, signature: signature)
/// var estimator = try StatisticEstimator(plan)
/// for batch in batches { try estimator.add(batch) }
/// let frozen = try plan.freeze(estimator.state, checking: [batches[0]], source: source)
/// try frozen.model.write(to: file)
/// ```
public struct FreezePlan: Sendable {
    /// The training graph; the frozen one for a recalibration.
    public let model: Model
    /// What the model's inputs and outputs mean; nil if that is not known.
    public let signature: Signature?
    /// How the graph is frozen.
    public let options: FreezeOptions
    /// The sites, in the order they run.
    public let sites: [BatchStatisticSite]
    /// What a person should look at before data is read.
    public let warnings: [String]
    /// The inputs that a batch must give.
    public let inputNames: [String]
    /// What a frozen graph held before a recalibration, in the order of ``sites``; else empty.
    public let formerStatistics: [SiteValues]
    let found: [FoundSite]

    /// Whether the statistics of a frozen graph are estimated anew.
    public var isRecalibration: Bool { found.contains { $0.frozen != nil } }

    /// Finds the batch statistics of a training graph, and checks that they can be taken out of it.
    ///
    /// - Parameters:
    ///   - model: A valid model.
    ///   - signature: What its inputs and outputs mean; nil if that is not known.
    ///   - options: How it is frozen.
    /// - Throws: ``FreezeError/noStatistics`` if there are none, or what is wrong with a label or a site.
    /// - Complexity: O(nodes).
    public init(
        _ model: Model,
        signature: Signature? = nil,
        options: FreezeOptions = FreezeOptions()
    ) throws(FreezeError) {
        let model = try model.withoutFunctions()
        let found = try StatisticFinder.sites(in: model, options: options)
        guard !found.isEmpty else { throw .noStatistics }
        try self.init(model, signature, options, found, former: [])
    }

    init(
        _ model: Model,
        _ signature: Signature?,
        _ options: FreezeOptions,
        _ found: [FoundSite],
        former: [SiteValues]
    ) throws(FreezeError) {
        self.model = model
        self.signature = signature
        self.options = options
        self.found = found
        sites = found.map(\.site)
        inputNames = model.graph.requiredInputs.map(\.name)
        formerStatistics = former
        for site in sites where options.estimator.map({ $0 != .meanOfBatches }) ?? false {
            guard site.hasCounts, let estimator = options.estimator else {
                throw .noCounts(label: site.statedLabel, estimator: options.estimator ?? .pooled)
            }
            if estimator == .gist && site.total == nil {
                throw .noCounts(label: site.statedLabel, estimator: .gist)
            }
        }
        _ = try StatisticExporter.export(
            found,
            of: model,
            signature: signature,
            padding: options.padding
        )
        warnings = try HiddenStatistics.warnings(model, found, signature: signature)
    }

    /// How the statistics of batches are combined at a site.
    ///
    /// - Parameter site: One of ``sites``.
    /// - Returns: The estimator of the options; else `pooled` where the counts and the mean are known, else
    ///   `mean-of-batches`: variances cannot be pooled without their means.
    public func estimator(of site: BatchStatisticSite) -> Estimator {
        options.estimator ?? (site.hasCounts && site.mean != nil ? .pooled : .meanOfBatches)
    }

    /// The SHA-256 of the model as it would be written, which tells states of other models.
    func modelDigest() throws(FreezeError) -> String {
        do throws(ModelError) {
            return Digest.sha256Hex(try model.serialized())
        } catch {
            throw .model(error)
        }
    }

    /// A run of the training graph that puts out the statistics.
    ///
    /// - Parameters:
    ///   - withOutputs: Whether the graph's own outputs are computed too.
    ///   - branchShapes: What a branch that is not taken puts out.
    ///   - levelsSteps: Whether loops in loops may run another number of steps each time.
    /// - Returns: The run.
    /// - Throws: ``FreezeError/plan(_:)`` if the graph cannot be run.
    func run(
        withOutputs: Bool,
        branchShapes: [Export: Tensor],
        levelsSteps: Bool
    ) throws(FreezeError) -> EstimationRun {
        let graph = try StatisticExporter.export(
            found,
            of: model,
            signature: signature,
            padding: options.padding,
            branchShapes: branchShapes,
            levelsSteps: levelsSteps
        )
        return try EstimationRun(found, graph, signature: signature, withOutputs: withOutputs)
    }

    /// The model with statistics put in.
    func rewritten(with statistics: [SiteStatistics]) throws(FreezeError) -> Model {
        isRecalibration
            ? try Recalibration.rewrite(model, found, statistics)
            : GraphRewriter.rewrite(model, found, statistics)
    }
}

extension Model {
    /// The model with its functions inlined, so that their nodes can be looked at and changed.
    func withoutFunctions() throws(FreezeError) -> Model {
        do throws(ModelError) { return try inliningFunctions() } catch { throw .model(error) }
    }
}
