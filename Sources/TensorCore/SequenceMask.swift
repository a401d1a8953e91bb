/// Which positions of a right-padded batch are real: position `t` of sequence `b` where `t < lengths[b]`.
///
/// PyTorch's `key_padding_mask` is the opposite: true where a position is padding.
public struct SequenceMask: Sendable, Hashable {
    /// `[B]`, each in `0 ... paddedLength`.
    public let lengths: [Int]
    /// `L`, the length every sequence is padded to.
    public let paddedLength: Int

    /// A mask that pads to the longest sequence.
    ///
    /// - Parameter lengths: `[B]`, each at least 0.
    public init(lengths: [Int]) {
        self.lengths = lengths
        paddedLength = lengths.max() ?? 0
    }

    /// The mask as a tensor `[B, 1, L]` or `[B, L]`: 1 at real positions, 0 at padding.
    ///
    /// - Parameters:
    ///   - elementType: float32, int64 or bool.
    ///   - rank: 3 for `[B, 1, L]`, 2 for `[B, L]`.
    /// - Returns: The mask.
    /// - Throws: ``ShapeError/tooLarge(dimensions:)``;
    ///   ``ShapeError/elementTypeMismatch(expected:actual:)`` for another element type.
    public func tensor(elementType: ElementType, rank: Int = 3) throws(ShapeError) -> Tensor {
        let dimensions = rank == 2 ? [lengths.count, paddedLength] : [lengths.count, 1, paddedLength]
        let shape = try Shape(checking: dimensions)
        return switch elementType {
        case .float32: filled(shape, real: Float(1), padding: 0)
        case .int64: filled(shape, real: Int64(1), padding: 0)
        case .bool: filled(shape, real: true, padding: false)
        default: throw .elementTypeMismatch(expected: .float32, actual: elementType)
        }
    }

    private func filled<T: TensorElement>(_ shape: Shape, real: T, padding: T) -> Tensor {
        Tensor(of: T.self, shape: shape) { elements in
            for (row, length) in lengths.enumerated() {
                for step in 0..<paddedLength {
                    elements[row * paddedLength + step] = step < length ? real : padding
                }
            }
        }
    }
}
