extension Node {
    private static let opsetKey = "seqnorm.opset"

    /// The version of the operator set the node was written for; nil for the one that the model imports.
    ///
    /// Only nodes of functions that were inlined have one, and only where function and model import different
    /// versions; it is kept in the node's metadata.
    public internal(set) var opset: Int? {
        get {
            guard !proto.metadataProps.isEmpty else { return nil }
            return metadata[Self.opsetKey].flatMap { Int($0) }
        }
        set { metadata[Self.opsetKey] = newValue.map { "\($0)" } }
    }
}
