internal import CKernels
public import TensorCore

/// Functions applied to every element of dense float32 buffers.
///
/// An element's bits depend on its operands alone, never on its position, on the count or on alignment.
/// ```swift
/// Elementwise.apply(.relu, to: x, into: x, count: n)  // in place
/// ```
public enum Elementwise {
    /// What an element takes, in multiply-adds of a product.
    static let work = 8

    /// `y[i] = f(x[i])`.
    ///
    /// - Parameters:
    ///   - operation: The function.
    ///   - x: `count` elements.
    ///   - y: `count` elements; may be `x`, but not otherwise overlap it.
    ///   - count: The number of elements.
    /// - Complexity: O(count), no allocation.
    public static func apply(
        _ operation: UnaryOperation,
        to x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>,
        count: Int
    ) {
        Parallel.forEach(count, work: work, multipleOf: 16) {
            active.unary(operation.rawValue, x + $0.lowerBound, y + $0.lowerBound, $0.count)
        }
    }

    /// `y[i] = min(max(x[i], low), high)`; NaN stays NaN.
    ///
    /// - Parameters:
    ///   - x: `count` elements.
    ///   - y: `count` elements; may be `x`, but not otherwise overlap it.
    ///   - low: The lower bound; `-inf` for none.
    ///   - high: The upper bound; wins where it is below `low`.
    ///   - count: The number of elements.
    /// - Complexity: O(count), no allocation.
    public static func clip(
        _ x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>,
        low: Float,
        high: Float,
        count: Int
    ) {
        active.clip(x, low, high, y, count)
    }

    /// `c[i] = f(a[i], b[i])`.
    ///
    /// - Parameters:
    ///   - operation: The function.
    ///   - a: `count` elements.
    ///   - b: `count` elements.
    ///   - c: `count` elements; may be `a` or `b`.
    ///   - count: The number of elements.
    /// - Complexity: O(count), no allocation.
    public static func apply(
        _ operation: BinaryOperation,
        _ a: UnsafePointer<Float>,
        _ b: UnsafePointer<Float>,
        into c: UnsafeMutablePointer<Float>,
        count: Int
    ) {
        Parallel.forEach(count, work: work, multipleOf: 16) {
            let first = $0.lowerBound
            var dimension = $0.count
            var stride = 1
            active.binary(
                operation.rawValue,
                1,
                &dimension,
                a + first,
                &stride,
                b + first,
                &stride,
                c + first
            )
        }
    }

    /// `c[i...] = f(a[i...], b[i...])` with ONNX's (numpy's) multidirectional broadcasting.
    ///
    /// Adjacent axes with the same pattern run as one, so that equal shapes, a scalar, a vector per row (`[R, C]` and
    /// `[C]`), a value per channel (`[C, L]` and `[C, 1]`) and a mask (`[B, C, L]` and `[B, 1, L]`) all have
    /// contiguous inner loops.
    ///
    /// - Parameters:
    ///   - operation: The function.
    ///   - a: The left operand, dense.
    ///   - aShape: Broadcastable to `shape`.
    ///   - b: The right operand, dense.
    ///   - bShape: Broadcastable to `shape`.
    ///   - c: The result, dense; may be an operand of the same shape.
    ///   - shape: The broadcast shape; a pair of shapes that does not broadcast to it is a programmer's error and traps.
    /// - Complexity: O(shape.elementCount), no allocation.
    public static func apply(
        _ operation: BinaryOperation,
        _ a: UnsafePointer<Float>,
        _ aShape: Shape,
        _ b: UnsafePointer<Float>,
        _ bShape: Shape,
        into c: UnsafeMutablePointer<Float>,
        shape: Shape
    ) {
        guard shape.elementCount > 0 else { return }
        if aShape == shape && bShape == shape {
            return apply(operation, a, b, into: c, count: shape.elementCount)
        }
        var pattern = BroadcastPattern(a: aShape, b: bShape, result: shape)
        pattern.withPointers { rank, dimensions, aStrides, bStrides in
            active.binary(operation.rawValue, rank, dimensions, a, aStrides, b, bStrides, c)
        }
    }
}
