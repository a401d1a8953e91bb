public import Inference
public import ONNXGraph

/// Limits and habits of a ``ModelRepository``.
public struct RepositoryOptions: Hashable, Sendable {
    /// The largest `model.onnx` that is read, in bytes.
    public var maxModelBytes: Int
    /// The largest `model.json` that is read, in bytes.
    public var maxOverrideBytes: Int
    /// What a model may ask for.
    public var limits: ModelLimits
    /// The planner's passes that are left out.
    public var disabledPasses: Set<PassName>
    /// The numbers of products with constant weights.
    public var precision: Precision
    /// Threads that load models; nil: one a core.
    public var loadThreads: Int?
    /// Lengths of the sequences a model is tried with before it is ready; those it cannot take are left out.
    public var warmUpLengths: [Int]
    /// Ways of batching a model is tried with before it is ready.
    public var warmUpBatchings: [Batching]

    /// Limits and habits, each with its default.
    ///
    /// - Parameters:
    ///   - maxModelBytes: 2 GiB by default, the most a protobuf message can have.
    ///   - maxOverrideBytes: 1 MiB by default.
    ///   - limits: What a model may ask for.
    ///   - disabledPasses: The planner's passes that are left out; none by default.
    ///   - precision: The numbers of products with constant weights; float32 by default.
    ///   - loadThreads: nil by default: one a core.
    ///   - warmUpLengths: Each at least 1; empty: no warm-up.
    ///   - warmUpBatchings: Those the server will use.
    public init(
        maxModelBytes: Int = 2 << 30,
        maxOverrideBytes: Int = 1 << 20,
        limits: ModelLimits = .standard,
        disabledPasses: Set<PassName> = [],
        precision: Precision = .float32,
        loadThreads: Int? = nil,
        warmUpLengths: [Int] = [1, 2, 17, 64],
        warmUpBatchings: [Batching] = [.ragged]
    ) {
        self.maxModelBytes = maxModelBytes
        self.maxOverrideBytes = maxOverrideBytes
        self.limits = limits
        self.disabledPasses = disabledPasses
        self.precision = precision
        self.loadThreads = loadThreads
        self.warmUpLengths = warmUpLengths
        self.warmUpBatchings = warmUpBatchings
    }
}
