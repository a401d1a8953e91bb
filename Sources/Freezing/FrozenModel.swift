public import ONNXGraph
public import Statistics

/// A frozen graph, ready to be written, with what it was made from.
public struct FrozenModel: Sendable {
    /// The inference graph; its metadata says how it was made.
    public let model: Model
    /// The sites that were frozen.
    public let sites: [BatchStatisticSite]
    /// The statistics that were put in, in the order of ``sites``.
    public let statistics: [PopulationStatistics]
    /// How the graph was made.
    public let provenance: Provenance
    /// What was shown of the graph; one of each kind.
    public let proofs: [Proof]
    /// What a person should look at.
    public let warnings: [String]
}
