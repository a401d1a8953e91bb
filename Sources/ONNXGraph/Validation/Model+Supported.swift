extension Model {
    /// The versions of the file format that are read.
    public static let supportedIRVersions: ClosedRange<Int64> = 3...14
    /// The versions of ONNX's own operator set that are read.
    public static let supportedOpsets: ClosedRange<Int64> = 6...28
}
