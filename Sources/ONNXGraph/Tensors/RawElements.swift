internal import Foundation
internal import TensorCore

/// Elements as little-endian bytes in row-major order.
enum RawElements {
    /// A copy of the bytes as a tensor; a byte of a bool that is not 0 becomes 1.
    static func tensor(
        _ bytes: Data,
        _ elementType: ElementType,
        _ shape: Shape
    ) throws(TensorFault) -> Tensor {
        let expected = shape.elementCount * elementType.byteCount
        guard bytes.count == expected else { throw .byteCount(expected: expected, actual: bytes.count) }
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
