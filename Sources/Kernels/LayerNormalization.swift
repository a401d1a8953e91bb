internal import CKernels

/// Normalization of each row by its own mean and variance.
public enum LayerNormalization {
    /// `y = (x - mean) / sqrt(variance + epsilon) * scale + bias` over each row, variance with divisor C.
    ///
    /// - Parameters:
    ///   - x: `[R, C]`.
    ///   - y: `[R, C]`; may be `x`.
    ///   - rows: R.
    ///   - columns: C.
    ///   - epsilon: Added to the variance.
    ///   - scale: `[C]`, or nil for ones.
    ///   - bias: `[C]`, or nil for zeros.
    ///   - means: Receives the mean of each row, `[R]`, if given.
    ///   - inverseDeviations: Receives `1 / sqrt(variance + epsilon)` of each row, `[R]`, if given.
    /// - Complexity: O(R*C), no allocation.
    public static func apply(
        _ x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>,
        rows: Int,
        columns: Int,
        epsilon: Float,
        scale: UnsafePointer<Float>? = nil,
        bias: UnsafePointer<Float>? = nil,
        means: UnsafeMutablePointer<Float>? = nil,
        inverseDeviations: UnsafeMutablePointer<Float>? = nil
    ) {
        Parallel.forEach(rows, work: columns * Elementwise.work) {
            let first = $0.lowerBound
            active.layer_normalization(
                $0.count,
                columns,
                epsilon,
                scale,
                bias,
                x + first * columns,
                y + first * columns,
                means.map { $0 + first },
                inverseDeviations.map { $0 + first }
            )
        }
    }
}
