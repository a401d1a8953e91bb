/// How much a model may ask for before it is refused: a model carries the limits it was loaded under.
///
/// ```swift
/// var limits = ModelLimits.standard
/// limits.tensorBytes = 64 << 20
/// let model = try Model(serialized: bytes, limits: limits)
/// ```
public struct ModelLimits: Hashable, Sendable {
    /// How deep subgraphs may be nested, in `0 ... 64`; a graph without subgraphs has depth 0.
    public var nestingDepth: Int
    /// The most nodes, those of subgraphs included.
    public var nodes: Int
    /// The most bytes that one tensor may have, in the file or in a run.
    public var tensorBytes: Int
    /// The most iterations of one run, those of all its Loop and Scan nodes together.
    public var loopTrips: Int
    /// The most bytes that the scan outputs of one Loop or Scan node may have together.
    public var scanOutputBytes: Int
    /// How many calls deep functions may call one another, in `0 ... 64`.
    public var functionDepth: Int
    /// About how many bytes of nodes and names may come from functions that are put in their calls' places.
    public var inlinedBytes: Int

    /// The deepest nesting, of subgraphs or of calls, that any limit may allow: deeper, a thread's stack would not do.
    public static let deepestNesting = 64

    /// What holds unless someone says otherwise.
    public static let standard = ModelLimits()

    /// Limits.
    ///
    /// - Parameters:
    ///   - nestingDepth: How deep subgraphs may be nested; what is over ``deepestNesting`` counts as that.
    ///   - nodes: The most nodes.
    ///   - tensorBytes: The most bytes of one tensor.
    ///   - loopTrips: The most iterations of one run.
    ///   - scanOutputBytes: The most bytes of the scan outputs of one node.
    ///   - functionDepth: How many calls deep; what is over ``deepestNesting`` counts as that.
    ///   - inlinedBytes: The most bytes of nodes and names that come from functions.
    public init(
        nestingDepth: Int = 32,
        nodes: Int = 200_000,
        tensorBytes: Int = 1 << 30,
        loopTrips: Int = 1 << 22,
        scanOutputBytes: Int = 1 << 30,
        functionDepth: Int = 32,
        inlinedBytes: Int = 1 << 26
    ) {
        self.nestingDepth = min(nestingDepth, Self.deepestNesting)
        self.nodes = nodes
        self.tensorBytes = tensorBytes
        self.loopTrips = loopTrips
        self.scanOutputBytes = scanOutputBytes
        self.functionDepth = min(functionDepth, Self.deepestNesting)
        self.inlinedBytes = inlinedBytes
    }
}
