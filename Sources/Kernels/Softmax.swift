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
        active.softmax(logarithm, outer, axis, inner, x, y)
    }
}
