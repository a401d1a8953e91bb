import CKernels
import TensorCore
import Testing

@testable import Kernels

/// Convolutions of bfloat16, with every instruction set that this machine can run.
struct NarrowConvolutionTests {
    private static let sets = InstructionSetTests.available

    /// The output length for pads of equal size.
    private func positions(_ length: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ pad: Int) -> Int {
        let span = length + 2 * pad - dilation * (kernel - 1) - 1
        return span < 0 ? 0 : span / stride + 1
    }

    @Test(arguments: sets)
    func `both layouts agree with sums in Double of rounded operands`(set: InstructionSet) throws {
        var numbers = Numbers(seed: 41)
        for (c, n) in [(1, 1), (3, 5), (12, 33), (20, 40), (32, 32), (33, 9), (64, 70)] {
            for (kernel, stride, dilation, pad) in [
                (1, 1, 1, 0), (1, 2, 1, 1), (2, 1, 1, 0), (3, 1, 1, 1), (5, 1, 2, 4), (5, 2, 3, 7),
                (3, 3, 40, 45),
                (5, 1, 16, 32),
            ] {
                let weights = numbers.array(kernel * c * n)
                let b = try NarrowOperands(set, taps: kernel, depth: c, columns: n, weights)
                for length in [1, 2, 15, 16, 17, 40] {
                    let count = positions(length, kernel, stride, dilation, pad)
                    guard count > 0 else { continue }
                    let x = numbers.array(length * c)
                    let left = NarrowOperands.rounded(x)
                    let (rows, channels) = b.convolution(
                        x,
                        length: length,
                        stride: stride,
                        dilation: dilation,
                        padBegin: pad,
                        positions: count
                    )
                    #expect(rows.hasBits(of: channels))
                    for (t, j) in [(0, 0), (count - 1, n - 1), (count / 2, n / 2), (count / 3, 0)] {
                        var (sum, size) = (0.0, 0.0)
                        for tap in 0..<kernel {
                            let p = t * stride + tap * dilation - pad
                            guard p >= 0 && p < length else { continue }
                            for channel in 0..<c {
                                let term = left[p * c + channel] * b.rounded[(tap * c + channel) * n + j]
                                sum += term
                                size += abs(term)
                            }
                        }
                        let limit = NarrowOperands.tolerance(terms: kernel * c, size: size)
                        #expect(
                            abs(Double(rows[t * n + j]) - sum) <= limit,
                            "\(c) \(n) \(kernel) \(stride) \(dilation) \(pad), \(length): (\(t), \(j))"
                        )
                    }
                }
            }
        }
    }

    @Test(arguments: sets, [1, 4, 8, 60])
    func `a sequence alone has the bits it has before any amount of zeros`(set: InstructionSet, dilation: Int)
        throws
    {
        var numbers = Numbers(seed: 42)
        for c in [7, 64] {
            let n = 40
            let b = try NarrowOperands(set, taps: 5, depth: c, columns: n, numbers.array(5 * c * n))
            for length in [1, 2, 15, 16, 17, 47, 49] {
                let x = numbers.array(c * length)
                func convolved(_ length: Int) -> [Float] {
                    let padded = x + [Float](repeating: 0, count: c * length - x.count)
                    return b.convolution(
                        padded,
                        length: length,
                        stride: 1,
                        dilation: dilation,
                        padBegin: 2 * dilation,
                        positions: length
                    ).rows
                }
                let alone = convolved(length)
                // Short and long sequences are staged in different ways.
                for padded in [length + 1, length + 33, 120, 2000] {
                    #expect(
                        Array(convolved(padded)[..<(n * length)]).hasBits(of: alone),
                        "\(length) in \(padded)"
                    )
                }
            }
        }
    }

    @Test(arguments: sets)
    func `windows side by side are rows of a product`(set: InstructionSet) throws {
        var numbers = Numbers(seed: 43)
        let (c, n, kernel, length) = (64, 37, 3, 70)
        let weights = numbers.array(kernel * c * n)
        let b = try NarrowOperands(set, taps: kernel, depth: c, columns: n, weights)
        let plain = try NarrowOperands(set, depth: kernel * c, columns: n, weights)
        let x = numbers.array(length * c)
        let rows = b.convolution(
            x,
            length: length,
            stride: 1,
            dilation: 1,
            padBegin: 0,
            positions: length - 2
        ).rows
        let windows = (0..<(length - 2)).flatMap { Array(x[($0 * c)..<(($0 + kernel) * c)]) }
        #expect(plain.product(windows, rows: length - 2).hasBits(of: rows))
    }

    // MARK: Packed weights

    @Test func `rounded weights are used by matrices, convolutions and layers, and rounded once`() throws {
        var numbers = Numbers(seed: 44)
        let (m, k, n) = (19, 50, 35)
        let (a, b) = (numbers.array(m * k), numbers.array(k * n))
        let operands = try NarrowOperands(InstructionSet.active, depth: k, columns: n, b)
        let expected = operands.product(a, rows: m)
        let matrix = try PackedMatrix(rows: k, columns: n, from: b, leadingDimension: n).narrowed()
        for matrix in [matrix, try matrix.narrowed()] {
            var c = [Float](repeating: .nan, count: m * n)
            GEMM.multiply(m: m, a: a, lda: k, matrix, c: &c, ldc: n)
            #expect(c.hasBits(of: expected))
        }
        let g = try Convolution1DTests.geometry(k, n, 1)
        let convolution = try PackedConvolution1D(g, weights: GEMMTests.transposed(b, rows: k, columns: n))
        var rows = [Float](repeating: .nan, count: m * n)
        try convolution.narrowed().rows(a, length: m, into: &rows)
        #expect(rows.hasBits(of: expected))
        let layer = try RecurrentLayer(
            #require(RecurrentCell(.rnn, activations: [.kernel(.tanh)])),
            features: k,
            hidden: n,
            weights: GEMMTests.transposed(b, rows: k, columns: n),
            recurrence: numbers.array(n * n)
        )
        try layer.narrowed().project(a, stride: k, rows: m, into: &rows)
        #expect(rows.hasBits(of: expected))
    }

    @Test func `groups of few channels keep float32`() throws {
        var numbers = Numbers(seed: 45)
        let (c, length) = (6, 20)
        let g = try Convolution1DTests.geometry(c, c, 3, groups: c, 1, 1)
        let packed = try PackedConvolution1D(g, weights: numbers.array(g.weightCount))
        let x = numbers.array(c * length)
        var (wide, narrow) = (
            [Float](repeating: 0, count: c * length), [Float](repeating: 0, count: c * length)
        )
        packed.rows(x, length: length, into: &wide)
        try packed.narrowed().rows(x, length: length, into: &narrow)
        #expect(narrow.hasBits(of: wide))
    }

    @Test func `groups and batches agree with each alone`() throws {
        var numbers = Numbers(seed: 46)
        let (c, n, groups, length) = (66, 80, 2, 33)
        let g = try Convolution1DTests.geometry(c, n, 3, dilation: 2, groups: groups, 2, 2)
        let weights = numbers.array(g.weightCount)
        let packed = try PackedConvolution1D(g, weights: weights).narrowed()
        let x = numbers.array(2 * c * length)
        var together = [Float](repeating: 0, count: 2 * n * length)
        packed.channelsFirst(x, batch: 2, length: length, into: &together)
        let half = try Convolution1DTests.geometry(c / 2, n / 2, 3, dilation: 2, 2, 2)
        for index in 0..<4 {
            let group = index % 2
            let own = Array(weights[(group * half.weightCount)..<((group + 1) * half.weightCount)])
            let alone = try PackedConvolution1D(half, weights: own).narrowed()
            var y = [Float](repeating: 0, count: n / 2 * length)
            alone.channelsFirst(Array(x[(index * c / 2 * length)...]), batch: 1, length: length, into: &y)
            #expect(Array(together[(index * y.count)..<((index + 1) * y.count)]).hasBits(of: y))
        }
    }
}
