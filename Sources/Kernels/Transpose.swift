internal import CKernels
public import TensorCore

/// Copies that move axes.
public enum Transpose {
    /// `y[j, i] = x[i, j]`.
    ///
    /// - Parameters:
    ///   - x: `[rows, columns]`.
    ///   - y: `[columns, rows]`; must not overlap `x`.
    ///   - rows: The number of rows of `x`.
    ///   - columns: The number of columns of `x`.
    /// - Complexity: O(rows*columns), no allocation.
    public static func matrix(
        _ x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>,
        rows: Int,
        columns: Int
    ) {
        sn_transpose(rows, columns, MemoryLayout<Float>.size, x, y)
    }

    /// `y[i...] = x[i permuted...]`: axis `k` of the result is axis `permutation[k]` of `x`.
    ///
    /// - Parameters:
    ///   - x: Dense, of `shape`, `elementBytes` an element (1, 2, 4 or 8).
    ///   - shape: The lengths of the axes of `x`.
    ///   - permutation: A permutation of `0 ..< shape.rank`; anything else is a programmer's error and traps.
    ///   - elementBytes: The size of an element.
    ///   - y: Dense, as many elements; must not overlap `x`.
    /// - Complexity: O(elementCount).
    public static func permute(
        _ x: UnsafeRawPointer,
        shape: Shape,
        permutation: [Int],
        elementBytes: Int,
        into y: UnsafeMutableRawPointer
    ) {
        precondition(permutation.count == shape.rank, "not a permutation")
        guard shape.elementCount > 0 else { return }
        var strides = InlineArray<8, Int>(repeating: 0)
        var stride = 1
        for axis in (0..<shape.rank).reversed() {
            strides[axis] = stride
            stride *= shape[axis]
        }
        // Axes of length 1 are dropped and axes that stay neighbours are merged.
        var dimensions = InlineArray<8, Int>(repeating: 1)
        var merged = InlineArray<8, Int>(repeating: 0)
        var rank = 0
        for axis in permutation where shape[axis] != 1 {
            if rank > 0 && merged[rank - 1] == strides[axis] * shape[axis] {
                dimensions[rank - 1] *= shape[axis]
                merged[rank - 1] = strides[axis]
            } else {
                dimensions[rank] = shape[axis]
                merged[rank] = strides[axis]
                rank += 1
            }
        }
        withUnsafePointer(to: &dimensions) { dimensions in
            withUnsafePointer(to: &merged) { strides in
                sn_permute(
                    Int32(rank),
                    UnsafeRawPointer(dimensions).assumingMemoryBound(to: Int.self),
                    UnsafeRawPointer(strides).assumingMemoryBound(to: Int.self),
                    elementBytes,
                    x,
                    y
                )
            }
        }
    }
}
