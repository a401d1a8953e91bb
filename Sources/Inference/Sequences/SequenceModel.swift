public import FoundationEssentials
public import ONNXGraph

/// A loaded model whose inputs and outputs are understood, and that makes executors.
///
/// ```swift
/// let model = try SequenceModel(model: Model(contentsOf: file))
/// let executor = try model.executor(for: .outputs([]), batching: .ragged)
/// ```
public final class SequenceModel: Sendable {
    /// The model as loaded, in ONNX's own operators: functions inlined, fused operators taken apart.
    public let model: Model
    /// What its inputs and outputs mean.
    public let signature: Signature
    /// Its normalizations, in order.
    public let sites: [NormalizationSite]
    /// The outputs that a prediction answers with when none are named: all but `normalized`, unless it is the only
    /// one.
    public let predictOutputs: [String]
    /// Where the values of ``layers`` are, by name.
    let places: [String: LayerPlace]
    /// The planner's passes that are left out.
    public let disabledPasses: Set<PassName>
    /// The numbers of products with constant weights.
    public let precision: Precision
    private let cache = ExecutorCache()

    /// Reads a model's signature and plans all its outputs once, so that a model that cannot run is refused here.
    ///
    /// - Parameters:
    ///   - model: A validated model.
    ///   - override: The contents of a `model.json`, which says what cannot be inferred.
    ///   - disabledPasses: The planner's passes that are left out.
    ///   - precision: The numbers of products with constant weights.
    /// - Throws: ``PlanError/batchStatistics(path:label:)`` for a model that is not frozen,
    ///   ``PlanError/signature(_:)``, or why the model cannot be planned.
    public convenience init(
        model: Model,
        override: Data? = nil,
        disabledPasses: Set<PassName> = [],
        precision: Precision = .float32
    ) throws(PlanError) {
        let model = try model.expanded()
        if let found = UnfrozenStatistic.first(in: model) {
            throw .batchStatistics(path: found.path, label: found.label)
        }
        let signature: Signature
        do throws(SignatureError) {
            signature = try Signature(inferring: model, document: override)
        } catch {
            throw .signature(error)
        }
        try self.init(
            model: model,
            signature: signature,
            sites: NormalizationSite.sites(in: model),
            disabledPasses: disabledPasses,
            precision: precision
        )
    }

    init(
        model: Model,
        signature: Signature,
        sites: [NormalizationSite],
        disabledPasses: Set<PassName> = [],
        precision: Precision = .float32
    ) throws(PlanError) {
        self.model = model
        self.disabledPasses = disabledPasses
        self.precision = precision
        self.signature = signature
        self.sites = sites
        let names = signature.outputs.map(\.name)
        predictOutputs = names.count == 1 ? names : names.filter { $0 != OutputRule.normalizedName }
        let places = LayerPlaces(model, signature)
        self.places = Dictionary(uniqueKeysWithValues: sites.map { ($0.name, places.place(of: $0)) })
            .compactMapValues(\.self)
        _ = try executor(for: .outputs([]), batching: .ragged)
    }

    /// The normalizations that can be asked for, in order: those with a value for each position.
    public var layers: [NormalizationSite] { sites.filter { places[$0.name] != nil } }

    /// What computes a request, made at the first call and kept for the next ones.
    ///
    /// - Parameters:
    ///   - request: The outputs, or a normalization.
    ///   - batching: How the sequences of a batch are run.
    /// - Returns: An executor for any number of threads.
    /// - Throws: ``PlanError/unknownOutput(_:)``, ``PlanError/unknownLayer(_:)``, ``PlanError/noLayer``,
    ///   ``PlanError/layerInsideLoop(_:)``, or why the model cannot be planned.
    public func executor(
        for request: OutputRequest,
        batching: Batching
    ) throws(PlanError) -> any SequenceExecutor {
        try cache.executor(for: ExecutorCache.Key(request: request, batching: batching)) {
            () throws(PlanError) in
            // A model that cannot be told of padding would take it for data.
            let knowsPadding = self.signature.mask != nil || self.signature.lengths != nil
            return switch batching {
            case .padded where knowsPadding: try self.paddedExecutor(for: request)
            case .ragged, .padded: try self.raggedExecutor(for: request).executor
            }
        }
    }

    /// What computes a request, if ``executor(for:batching:)`` has made it before.
    ///
    /// - Parameters:
    ///   - request: The outputs, or a normalization.
    ///   - batching: How the sequences of a batch are run.
    /// - Returns: The executor, or nil.
    /// - Complexity: O(1).
    public func knownExecutor(
        for request: OutputRequest,
        batching: Batching
    ) -> (any SequenceExecutor)? {
        cache.find(ExecutorCache.Key(request: request, batching: batching))
    }
}
