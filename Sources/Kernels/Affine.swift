internal import CKernels

/// Scale, shift, activation, mask and residual over a whole buffer in one pass.
public enum Affine {
    /// Applies an epilogue to `[B, C, L]`; scale and bias per channel, mask `[B, L]`, residual `[B, C, L]`.
    ///
    /// - Parameters:
    ///   - epilogue: The steps.
    ///   - x: `[B, C, L]`.
    ///   - y: `[B, C, L]`; may be `x`.
    ///   - batch: B.
    ///   - channels: C.
    ///   - length: L.
    /// - Complexity: O(B*C*L), no allocation.
    public static func channelsFirst(
        _ epilogue: Epilogue,
        _ x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>,
        batch: Int,
        channels: Int,
        length: Int
    ) {
        var native = epilogue.native
        let size = channels * length
        for index in 0..<batch {
            native.mask = epilogue.mask.map { $0 + index * length }
            native.residual = epilogue.residual.map { $0 + index * size }
            active.epilogue(
                &native,
                false,
                channels,
                length,
                x + index * size,
                length,
                y + index * size,
                length
            )
        }
    }

    /// Applies an epilogue to rows `[R, C]`; scale and bias per column, mask `[R]`, residual `[R, C]`.
    ///
    /// - Parameters:
    ///   - epilogue: The steps.
    ///   - x: `[R, C]`.
    ///   - y: `[R, C]`; may be `x`.
    ///   - rows: R.
    ///   - channels: C.
    /// - Complexity: O(R*C), no allocation.
    public static func rows(
        _ epilogue: Epilogue,
        _ x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>,
        rows: Int,
        channels: Int
    ) {
        Parallel.forEach(rows, work: channels * Elementwise.work) { part in
            var native = epilogue.native(fromRow: part.lowerBound, columns: channels)
            let first = part.lowerBound * channels
            active.epilogue(&native, true, part.count, channels, x + first, channels, y + first, channels)
        }
    }
}
