extension Model {
    /// How deep subgraphs may be nested.
    public static let maximumSubgraphDepth = 32
    /// The versions of the file format that are read.
    public static let supportedIRVersions: ClosedRange<Int64> = 3...14
    /// The versions of ONNX's own operator set that are read.
    public static let supportedOpsets: ClosedRange<Int64> = 6...28
}
