internal import CKernels

/// Exponentials that sum to one along an axis.
public enum Softmax {
    /// `y = e^(x - max) / sum(e^(x - max))` along the middle axis of `[outer, axis, inner]`, or its logarithm.
    ///
    /// - Parameters:
    ///   - x: `[outer, axis, inner]`.
    ///   - y: `[outer, axis, inner]`; may be `x`.
    ///   - outer: The product of the lengths before the axis.
    ///   - axis: The length of the axis.
    ///   - inner: The product of the lengths after it; 1 is the fastest.
    ///   - logarithm: Whether to give the logarithm, computed without loss.
    /// - Complexity: O(outer*axis*inner).
    public static func apply(
        _ x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>,
        outer: Int,
        axis: Int,
        inner: Int = 1,
        logarithm: Bool = false
    ) {
        let size = axis * inner
        Parallel.forEach(outer, work: size * Elementwise.work) {
            active.softmax(
                logarithm,
                $0.count,
                axis,
                inner,
                x + $0.lowerBound * size,
                y + $0.lowerBound * size
            )
        }
    }
}
