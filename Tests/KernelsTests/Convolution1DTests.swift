import Kernels
import Testing

struct Convolution1DTests {
    /// The defining sum in Double, `[N, outputLength]`.
    static func oracle(_ g: Convolution1D, _ x: [Float], length: Int, _ w: [Float]) -> [Double] {
        let outputLength = g.outputLength(length)
        let channels = g.inputChannels / g.groups
        let outputs = g.outputChannels / g.groups
        return (0..<g.outputChannels * outputLength).map { index in
            let (n, t) = (index / outputLength, index % outputLength)
            var sum = 0.0
            for c in 0..<channels {
                for i in 0..<g.kernel {
                    let position = t * g.stride + i * g.dilation - g.padBegin
                    guard position >= 0 && position < length else { continue }
                    let input = (n / outputs * channels + c) * length + position
                    sum += Double(x[input]) * Double(w[(n * channels + c) * g.kernel + i])
                }
            }
            return sum
        }
    }

    static func geometry(
        _ c: Int,
        _ n: Int,
        _ k: Int,
        stride: Int = 1,
        dilation: Int = 1,
        groups: Int = 1,
        _ begin: Int = 0,
        _ end: Int = 0
    ) throws -> Convolution1D {
        try #require(
            Convolution1D(
                inputChannels: c,
                outputChannels: n,
                kernel: k,
                stride: stride,
                dilation: dilation,
                groups: groups,
                padBegin: begin,
                padEnd: end
            )
        )
    }

    @Test(arguments: [1, 2, 3], [1, 2, 5, 40])
    func `both layouts agree with the defining sum for every small geometry`(stride: Int, dilation: Int)
        throws
    {
        var numbers = Numbers(seed: 8)
        for (c, n, groups) in [(1, 1, 1), (3, 5, 1), (12, 33, 1), (4, 6, 2), (6, 6, 6), (2, 70, 1)] {
            for kernel in [1, 2, 5] {
                for (begin, end) in [(0, 0), (2, 3), (90, 7)] {
                    let g = try Self.geometry(
                        c,
                        n,
                        kernel,
                        stride: stride,
                        dilation: dilation,
                        groups: groups,
                        begin,
                        end
                    )
                    let w = numbers.array(g.weightCount)
                    let packed = try PackedConvolution1D(g, weights: w)
                    for length in [0, 1, 3, 15, 17, 50] {
                        try check(packed, numbers.array(c * length), length: length, w)
                    }
                }
            }
        }
    }

    private func check(_ packed: PackedConvolution1D, _ x: [Float], length: Int, _ w: [Float]) throws {
        let g = packed.geometry
        let outputLength = g.outputLength(length)
        let size = g.outputChannels * outputLength
        var first = [Float](repeating: .nan, count: size + 1)
        packed.channelsFirst(x, batch: 1, length: length, into: &first)
        let expected = Self.oracle(g, x, length: length, w)
        let worst = zip(first, expected).map { abs(Double($0) - $1) }.max() ?? 0
        #expect(worst < 1e-5 && !first.dropLast().contains { $0.isNaN }, "\(g) \(length): \(worst)")
        #expect(first[size].isNaN, "writes behind the end")

        let rows = GEMMTests.transposed(x, rows: g.inputChannels, columns: length)
        var last = [Float](repeating: .nan, count: size)
        packed.rows(rows, length: length, into: &last)
        let back = GEMMTests.transposed(last, rows: outputLength, columns: g.outputChannels)
        #expect(back.bits == Array(first[..<size]).bits, "\(g) \(length)")
    }

    @Test(arguments: [1, 2, 4, 8, 60])
    func `a sequence alone has the bits it has before any amount of zeros and in any batch`(dilation: Int)
        throws
    {
        var numbers = Numbers(seed: 9)
        let (c, n) = (64, 40)
        let g = try Self.geometry(c, n, 5, dilation: dilation, 2 * dilation, 2 * dilation)
        let packed = try PackedConvolution1D(g, weights: numbers.array(g.weightCount))
        for length in [1, 2, 15, 16, 17, 47, 49] {
            let x = numbers.array(c * length)
            var alone = [Float](repeating: 0, count: n * length)
            packed.channelsFirst(x, batch: 1, length: length, into: &alone)
            for padded in [length + 1, length + 33, 120] {
                // The sequence is second in a batch of three, the others are noise.
                var batch = numbers.array(3 * c * padded)
                for channel in 0..<c {
                    for t in 0..<padded {
                        batch[(c + channel) * padded + t] = t < length ? x[channel * length + t] : 0
                    }
                }
                var together = [Float](repeating: 0, count: 3 * n * padded)
                packed.channelsFirst(batch, batch: 3, length: padded, into: &together)
                let part = (0..<n * length).map { together[(n + $0 / length) * padded + $0 % length] }
                #expect(part.hasBits(of: alone), "\(length) in \(padded)")
            }
        }
    }

    /// Weights whose products vanish to -0, and one that makes NaN of padding.
    static let unusualWeights: [(tap: Int, value: Float)] = [
        (2, -1e-30), (0, .infinity), (4, -.infinity), (1, .nan),
    ]

    @Test(arguments: [1, 2, 4, 9, 60], unusualWeights)
    func `taps over padding leave no trace where they are left out, whatever the weights`(
        dilation: Int,
        weight: (tap: Int, value: Float)
    ) throws {
        let (c, n) = (3, 37)
        let g = try Self.geometry(c, n, 5, dilation: dilation, 2 * dilation, 2 * dilation)
        var w = [Float](repeating: -1e-30, count: g.weightCount)
        for index in stride(from: weight.tap, to: w.count, by: 5) { w[index] = weight.value }
        let packed = try PackedConvolution1D(g, weights: w)
        for length in [1, 2, 11, 12, 13, 30, 61] {
            let x = [Float](repeating: 1e-30, count: c * length)
            var first = [Float](repeating: 0, count: n * length)
            packed.channelsFirst(x, batch: 1, length: length, into: &first)
            var last = first
            packed.rows(x, length: length, into: &last)
            let turned = GEMMTests.transposed(last, rows: length, columns: n)
            #expect(turned.bits == first.bits, "\(length)")
            for position in 0..<length {
                var one = last
                packed.rows(x, length: length, positions: position..<position + 1, into: &one)
                #expect(one.bits == last.bits, "\(position) of \(length)")
            }
            let padded = x + [Float](repeating: 0, count: c * 3 * dilation)
            var longer = [Float](repeating: 0, count: n * (length + 3 * dilation))
            packed.rows(padded, length: length + 3 * dilation, into: &longer)
            #expect(Array(longer[..<last.count]).bits == last.bits, "\(length) before zeros")
        }
    }

    @Test func `an epilogue equals its steps done afterwards, in both layouts`() throws {
        var numbers = Numbers(seed: 10)
        let (batch, c, n, length, groups) = (2, 6, 34, 21, 2)
        let g = try Self.geometry(c, n, 3, groups: groups, 1, 1)
        let packed = try PackedConvolution1D(g, weights: numbers.array(g.weightCount))
        let x = numbers.array(batch * c * length)
        let (scale, bias) = (numbers.array(n), numbers.array(n))
        let (mask, residual) = (numbers.array(batch * length), numbers.array(batch * n * length))
        var plain = [Float](repeating: 0, count: batch * n * length)
        var fused = plain
        var after = plain
        packed.channelsFirst(x, batch: batch, length: length, into: &plain)
        scale.withUnsafeBufferPointer { scale in
            bias.withUnsafeBufferPointer { bias in
                mask.withUnsafeBufferPointer { mask in
                    residual.withUnsafeBufferPointer { residual in
                        let epilogue = Epilogue(
                            scale: scale.baseAddress,
                            bias: bias.baseAddress,
                            activation: .relu,
                            mask: mask.baseAddress,
                            residual: residual.baseAddress
                        )
                        packed.channelsFirst(
                            x,
                            batch: batch,
                            length: length,
                            into: &fused,
                            epilogue: epilogue
                        )
                        Affine.channelsFirst(
                            epilogue,
                            plain,
                            into: &after,
                            batch: batch,
                            channels: n,
                            length: length
                        )
                    }
                }
            }
        }
        #expect(fused.bits == after.bits)

        let one = Array(residual[..<(n * length)])
        let residualRows = GEMMTests.transposed(one, rows: n, columns: length)
        var rows = [Float](repeating: 0, count: n * length)
        scale.withUnsafeBufferPointer { scale in
            bias.withUnsafeBufferPointer { bias in
                mask.withUnsafeBufferPointer { mask in
                    residualRows.withUnsafeBufferPointer { residual in
                        let epilogue = Epilogue(
                            scale: scale.baseAddress,
                            bias: bias.baseAddress,
                            activation: .relu,
                            mask: mask.baseAddress,
                            residual: residual.baseAddress
                        )
                        packed.rows(
                            GEMMTests.transposed(Array(x[..<(c * length)]), rows: c, columns: length),
                            length: length,
                            into: &rows,
                            epilogue: epilogue
                        )
                    }
                }
            }
        }
        #expect(
            GEMMTests.transposed(rows, rows: length, columns: n).bits == Array(fused[..<(n * length)]).bits
        )
    }

    @Test func `geometries that make no sense are refused`() {
        func make(_ c: Int, _ n: Int, _ k: Int, _ stride: Int, _ dilation: Int, _ groups: Int, _ pad: Int)
            -> Bool
        {
            Convolution1D(
                inputChannels: c,
                outputChannels: n,
                kernel: k,
                stride: stride,
                dilation: dilation,
                groups: groups,
                padBegin: pad,
                padEnd: 0
            ) != nil
        }
        #expect(make(4, 4, 3, 1, 1, 2, 1))
        #expect(!make(0, 4, 3, 1, 1, 1, 1))
        #expect(!make(4, 4, 0, 1, 1, 1, 1))
        #expect(!make(4, 4, 3, 0, 1, 1, 1))
        #expect(!make(4, 4, 3, 1, -1, 1, 1))
        #expect(!make(4, 4, 3, 1, 1, 3, 1))
        #expect(!make(4, 4, 3, 1, 1, 1, -1))
        #expect(!make(4, 4, 3, 1, .max, 1, 1))
        #expect(!make(1 << 30, 1 << 30, 1 << 30, 1, 1, 1, 1))
    }
}
