internal import CKernels

/// Sums, means and extremes along one axis.
///
/// The order of summation is a function of the axis' length alone, and zeros at its end never change a sum's bits:
/// a masked sum over a padded sequence equals the sum over the sequence itself.
public enum Reduction: Int32, Sendable, CaseIterable {
    /// The sum; 0 over nothing.
    case sum
    /// The sum divided by the length; NaN over nothing.
    case mean
    /// The largest; NaN if any is NaN, `-inf` over nothing.
    case maximum
    /// The smallest; NaN if any is NaN, `inf` over nothing.
    case minimum
    /// The sum of the squares; 0 over nothing.
    case sumOfSquares

    /// Reduces the middle axis of `[outer, axis, inner]`; `inner` is 1 for the last axis of a tensor.
    ///
    /// - Parameters:
    ///   - x: `[outer, axis, inner]`.
    ///   - y: `[outer, inner]`.
    ///   - outer: The product of the lengths before the axis.
    ///   - axis: The length of the axis.
    ///   - inner: The product of the lengths after it.
    /// - Complexity: O(outer*axis*inner), no allocation.
    public func reduce(
        _ x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>,
        outer: Int,
        axis: Int,
        inner: Int
    ) {
        active.reduce(rawValue, outer, axis, inner, x, y)
    }
}
