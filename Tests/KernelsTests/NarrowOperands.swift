import CKernels
import Kernels
import TensorCore
import Testing

/// Weights of a product of bfloat16, packed for one instruction set, with what is needed to know the right answers.
struct NarrowOperands {
    let kernels: sn_kernels
    let taps: Int
    let depth: Int
    let columns: Int
    private let panels: [UInt16]
    /// `[taps * depth, columns]`, rounded.
    let rounded: [Double]

    /// Packs `b`, `[taps * depth, columns]`.
    init(_ set: InstructionSet, taps: Int = 1, depth: Int, columns: Int, _ b: [Float]) throws {
        kernels = try #require(sn_kernels_for(Int32(set.rawValue))).pointee
        (self.taps, self.depth, self.columns) = (taps, depth, columns)
        let count = (columns + 31) / 32
        var wide = [Float](repeating: 0, count: max(1, count * 32 * taps * depth))
        kernels.pack(taps * depth, columns, b, columns, 1, &wide)
        var narrow = [UInt16](repeating: 0xFFFF, count: count * 32 * sn_narrow_depth(taps, depth))
        sn_narrow_pack(taps, depth, count, wide, &narrow)
        panels = narrow
        rounded = Self.rounded(b)
    }

    /// Numbers as products of bfloat16 see them.
    static func rounded(_ x: [Float]) -> [Double] { x.map { Double(BFloat16($0).float) } }

    /// `a * b` for `[rows, depth]`.
    func product(_ a: [Float], rows: Int) -> [Float] {
        var c = [Float](repeating: .nan, count: rows * columns)
        kernels.narrow.multiply(rows, columns, depth, 1, a, depth, panels, 0, &c, columns, nil, 0)
        return c
    }

    /// `alpha * a * b + beta * c`, then the epilogue.
    func product(
        _ a: [Float],
        lda: Int,
        rows: Int,
        alpha: Float,
        beta: Float,
        _ c: [Float],
        _ epilogue: UnsafePointer<sn_epilogue>?
    ) -> [Float] {
        var c = c
        kernels.narrow.multiply(
            rows,
            columns,
            depth,
            alpha,
            a,
            lda,
            panels,
            beta,
            &c,
            columns,
            epilogue,
            columns
        )
        return c
    }

    /// The convolution of `[length, depth]`, by position and by channel, both as `[positions, columns]`.
    func convolution(
        _ x: [Float],
        length: Int,
        stride: Int,
        dilation: Int,
        padBegin: Int,
        positions: Int
    ) -> (rows: [Float], channels: [Float]) {
        var shape = sn_convolution(
            input_channels: depth,
            output_channels: columns,
            kernel: taps,
            stride: stride,
            dilation: dilation,
            pad_begin: padBegin,
            length: length,
            output_length: positions,
            input_stride: depth,
            output_stride: columns,
            finite_weights: true
        )
        var epilogue = sn_epilogue()
        var rows = [Float](repeating: .nan, count: positions * columns)
        kernels.narrow.convolve_rows(&shape, x, panels, &rows, &epilogue, columns)
        (shape.input_stride, shape.output_stride) = (length, positions)
        var channels = rows
        let turned = GEMMTests.transposed(x, rows: length, columns: depth)
        kernels.narrow.convolve_channels(&shape, turned, panels, &channels, &epilogue, positions)
        return (rows, GEMMTests.transposed(channels, rows: columns, columns: positions))
    }

    /// How far a sum of `terms` products in float32 may be from the exact one, where their magnitudes sum to `size`.
    static func tolerance(terms: Int, size: Double) -> Double {
        Double(terms + 2) * Double(Float.ulpOfOne) * size + Double(Float.leastNormalMagnitude)
    }
}
