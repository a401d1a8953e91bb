internal import FoundationEssentials
internal import TensorCore

/// Elements as little-endian bytes in row-major order.
enum RawElements {
    /// Whether there are as many bytes as the elements need.
    static func check(_ byteCount: Int, _ elementType: ElementType, _ shape: Shape) throws(TensorFault) {
        let expected = elementType.packedByteCount(shape.elementCount)
        guard byteCount == expected else { throw .byteCount(expected: expected, actual: byteCount) }
    }

    /// A copy of the bytes as a tensor; a byte of a bool that is not 0 becomes 1.
    static func tensor(
        _ bytes: Data,
        _ elementType: ElementType,
        _ shape: Shape
    ) throws(TensorFault) -> Tensor {
        try check(bytes.count, elementType, shape)
        if elementType.bitCount < 8 {
            do throws(ShapeError) {
                return try Tensor(packed: bytes, elementType: elementType, shape: shape)
            } catch {
                throw .shape(error)
            }
        }
        var tensor = Tensor(uninitialized: elementType, shape: shape)
        tensor.withMutableBytes { target in
            if elementType == .bool {
                for (index, byte) in bytes.enumerated() { target[index] = byte == 0 ? 0 : 1 }
            } else {
                bytes.withUnsafeBytes { target.copyMemory(from: $0) }
            }
        }
        return tensor
    }
}
