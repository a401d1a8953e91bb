/// A dense, row-major array of strings.
public struct StringTensor: Hashable, Sendable {
    /// The most bytes of text one array may have.
    public static let maximumByteCount = 1 << 28

    /// The lengths of the axes.
    public let shape: Shape
    /// The strings in row-major order.
    public let values: [String]

    /// An array of strings.
    ///
    /// - Parameters:
    ///   - values: As many as `shape` has elements.
    ///   - shape: The lengths of the axes.
    /// - Throws: ``ShapeError/elementCountMismatch(expected:actual:)``.
    public init(_ values: [String], shape: Shape) throws(ShapeError) {
        guard values.count == shape.elementCount else {
            throw .elementCountMismatch(expected: shape.elementCount, actual: values.count)
        }
        self.shape = shape
        self.values = values
    }
}
