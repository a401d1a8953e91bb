extension Node {
    private static let opsetKey = "seqnorm.opset"

    /// The version of the operator set the node was written for; nil for the one that the model imports.
    ///
    /// Only nodes have one that a program has put in the place of others: those of functions that were inlined,
    /// where function and model import different versions. It is kept in the node's metadata.
    public var opset: Int? {
        get {
            guard !proto.metadataProps.isEmpty else { return nil }
            return metadata[Self.opsetKey].flatMap { Int($0) }
        }
        set { metadata[Self.opsetKey] = newValue.map { "\($0)" } }
    }
}
