import Testing

@testable import Kernels

/// Convolutions by minimal filtering.
struct FilteredConvolutionTests {
    private static func filtered(_ g: Convolution1D, _ w: [Float]) throws -> PackedConvolution1D {
        let filtered = try PackedConvolution1D(g, weights: w).filtered()
        try #require(filtered.isFiltered, "\(g)")
        return filtered
    }

    private static func rows(_ convolution: PackedConvolution1D, _ x: [Float], length: Int) -> [Float] {
        let count = convolution.geometry.outputLength(length) * convolution.geometry.outputChannels
        var y = [Float](repeating: .nan, count: count + 1)
        convolution.rows(x, length: length, into: &y)
        #expect(y.removeLast().isNaN, "writes behind the end")
        return y
    }

    @Test(arguments: [3, 4, 5, 6, 7], [1, 2, 4, 5, 40])
    func `both layouts agree with the defining sum for every small geometry`(kernel: Int, dilation: Int)
        throws
    {
        var numbers = Numbers(seed: 51)
        for (c, n, groups) in [(32, 64, 1), (45, 70, 1), (100, 98, 2), (64, 33, 1)] {
            for (begin, end) in [(0, 0), (2, 3), (90, 7), (0, 200)] {
                let g = try Convolution1DTests.geometry(
                    c,
                    n,
                    kernel,
                    dilation: dilation,
                    groups: groups,
                    begin,
                    end
                )
                let w = numbers.array(g.weightCount)
                let packed = try Self.filtered(g, w)
                for length in [0, 1, 3, 15, 17, 50] {
                    let x = numbers.array(c * length)
                    let y = Self.rows(
                        packed,
                        GEMMTests.transposed(x, rows: c, columns: length),
                        length: length
                    )
                    let expected = Convolution1DTests.oracle(g, x, length: length, w)
                    let outputLength = g.outputLength(length)
                    let back = GEMMTests.transposed(y, rows: outputLength, columns: n)
                    let worst = zip(back, expected).map { abs(Double($0) - $1) }.max() ?? 0
                    #expect(worst < 1e-4 && !back.contains { $0.isNaN }, "\(g) \(length): \(worst)")
                    var first = [Float](repeating: .nan, count: n * outputLength)
                    packed.channelsFirst(x, batch: 1, length: length, into: &first)
                    #expect(first.hasBits(of: back), "\(g) \(length)")
                }
            }
        }
    }

    @Test(arguments: [3, 4, 5, 6, 7])
    func `its rounding is at most four times that of the sums`(kernel: Int) throws {
        var numbers = Numbers(seed: 52)
        let (c, n, length) = (64, 64, 200)
        let g = try Convolution1DTests.geometry(c, n, kernel, kernel / 2, kernel / 2)
        let w = numbers.array(g.weightCount)
        let x = numbers.array(c * length)
        let exact = Convolution1DTests.oracle(g, x, length: length, w)
        func error(_ convolution: PackedConvolution1D) -> Double {
            let y = Self.rows(convolution, GEMMTests.transposed(x, rows: c, columns: length), length: length)
            let back = GEMMTests.transposed(y, rows: g.outputLength(length), columns: n)
            let squares = zip(back, exact).map { (Double($0) - $1) * (Double($0) - $1) }
            return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
        }
        let sums = error(try PackedConvolution1D(g, weights: w))
        let filtered = error(try Self.filtered(g, w))
        #expect(filtered < 4 * sums, "\(filtered) against \(sums)")
    }

    @Test(arguments: [3, 5, 7], [1, 2, 4, 8, 60])
    func `a sequence alone has the bits it has before any amount of zeros`(kernel: Int, dilation: Int) throws
    {
        var numbers = Numbers(seed: 53)
        let (c, n) = (64, 40)
        let pad = kernel / 2 * dilation
        let packed = try Self.filtered(
            Convolution1DTests.geometry(c, n, kernel, dilation: dilation, pad, pad),
            numbers.array(n * c * kernel)
        )
        for length in [1, 2, 15, 16, 17, 31, 32, 33, 49] {
            let x = numbers.array(c * length)
            let alone = Self.rows(packed, x, length: length)
            for padded in [length + 1, length + 33, 400] {
                let zeros = [Float](repeating: 0, count: c * (padded - length))
                let together = Self.rows(packed, x + zeros, length: padded)
                #expect(Array(together.prefix(n * length)).hasBits(of: alone), "\(length) in \(padded)")
            }
        }
    }

    @Test(arguments: [3, 4, 5, 7], [1, 2, 3, 8])
    func `parts of many sequences at once have the bits of each alone`(kernel: Int, dilation: Int) throws {
        var numbers = Numbers(seed: 54)
        let (c, n) = (64, 48)
        let g = try Convolution1DTests.geometry(c, n, kernel, dilation: dilation, 2 * dilation, dilation)
        let packed = try Self.filtered(g, numbers.array(g.weightCount))
        let lengths = [40, 1, 7, 0, 300, 16, 15, 2, 33]
        let x = numbers.array(c * lengths.reduce(0, +))
        for width in [3, 64, 1000] {
            var parts: [PackedConvolution1D.Part] = []
            var alone: [Float] = []
            var source = 0
            for length in lengths {
                let count = g.outputLength(length)
                let target = alone.count / n
                alone += Self.rows(packed, Array(x[(source * c)..<((source + length) * c)]), length: length)
                for begin in stride(from: 0, to: count, by: width) {
                    parts.append(
                        PackedConvolution1D.Part(
                            source: source,
                            length: length,
                            target: target,
                            positions: begin..<min(begin + width, count)
                        )
                    )
                }
                source += length
            }
            parts.reverse()
            var together = [Float](repeating: .nan, count: alone.count)
            packed.rows(x, parts: parts, into: &together)
            #expect(together.hasBits(of: alone), "parts of \(width)")
        }
    }

    @Test(arguments: [1, 2, 8])
    func `an epilogue equals its steps done afterwards, in both layouts`(dilation: Int) throws {
        var numbers = Numbers(seed: 55)
        let (c, n, length) = (32, 80, 83)
        let g = try Convolution1DTests.geometry(c, n, 5, dilation: dilation, 2 * dilation, 2 * dilation)
        let packed = try Self.filtered(g, numbers.array(g.weightCount))
        let x = numbers.array(c * length)
        let plain = Self.rows(packed, x, length: length)
        let buffers = [n, n, length, n * length].map { count in
            let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
            _ = buffer.initialize(from: numbers.array(count))
            return buffer
        }
        defer { buffers.forEach { $0.deallocate() } }
        for chosen in 0..<16 {
            for activation in [UnaryOperation.identity, .relu, .tanh] {
                func operand(_ index: Int) -> UnsafePointer<Float>? {
                    chosen >> index & 1 == 1 ? UnsafePointer(buffers[index].baseAddress) : nil
                }
                let steps = Epilogue(
                    scale: operand(0),
                    bias: operand(1),
                    activation: activation,
                    mask: operand(2),
                    residual: operand(3)
                )
                var fused = [Float](repeating: .nan, count: plain.count)
                packed.rows(x, length: length, into: &fused, epilogue: steps)
                var after = plain
                Affine.rows(steps, plain, into: &after, rows: length, channels: n)
                #expect(fused.hasBits(of: after), "\(chosen) \(activation)")

                // The residual of channels first is laid out so.
                guard chosen < 8 else { continue }
                var first = after
                packed.channelsFirst(
                    GEMMTests.transposed(x, rows: length, columns: c),
                    batch: 1,
                    length: length,
                    into: &first,
                    epilogue: steps
                )
                #expect(
                    GEMMTests.transposed(first, rows: n, columns: length).hasBits(of: after),
                    "\(chosen) \(activation)"
                )
            }
        }
    }

    @Test func `a result may be added to itself`() throws {
        var numbers = Numbers(seed: 56)
        let (c, n, length) = (64, 64, 61)
        let g = try Convolution1DTests.geometry(c, n, 5, dilation: 2, 4, 4)
        let packed = try Self.filtered(g, numbers.array(g.weightCount))
        let (x, before) = (numbers.array(c * length), numbers.array(n * length))
        let sums = Self.rows(packed, x, length: length)
        var y = before
        y.withUnsafeMutableBufferPointer { y in
            guard let start = y.baseAddress else { return }
            packed.rows(x, length: length, into: start, epilogue: Epilogue(residual: UnsafePointer(start)))
        }
        #expect(y.hasBits(of: zip(before, sums).map { $0 + $1 }))
    }

    @Test func `what cannot be filtered, or would gain nothing, keeps its sums`() throws {
        var numbers = Numbers(seed: 57)
        func isFiltered(
            _ c: Int,
            _ n: Int,
            _ kernel: Int,
            stride: Int = 1,
            groups: Int = 1,
            weight: Float? = nil
        ) throws -> Bool {
            let g = try Convolution1DTests.geometry(c, n, kernel, stride: stride, groups: groups)
            var w = numbers.array(g.weightCount)
            if let weight { w[w.count / 2] = weight }
            return try PackedConvolution1D(g, weights: w).filtered().isFiltered
        }
        #expect(try isFiltered(64, 64, 5) && isFiltered(64, 64, 3) && isFiltered(64, 64, 7))
        #expect(try !isFiltered(64, 64, 1) && !isFiltered(64, 64, 2) && !isFiltered(64, 64, 8))
        #expect(try !isFiltered(64, 64, 5, stride: 2))
        #expect(try !isFiltered(4, 64, 5) && !isFiltered(64, 4, 5) && !isFiltered(64, 64, 5, groups: 64))
        for weight in [Float.infinity, .nan] { #expect(try !isFiltered(64, 64, 5, weight: weight)) }
        let g = try Convolution1DTests.geometry(64, 64, 5)
        // All these are finite; their sum at the point 1/2 is not.
        let large = [Float](repeating: 3e38, count: g.weightCount)
        #expect(try !PackedConvolution1D(g, weights: large).filtered().isFiltered)
        #expect(try !PackedConvolution1D(g, weights: large).narrowed().filtered().isFiltered)
        let once = try PackedConvolution1D(g, weights: numbers.array(g.weightCount)).filtered()
        #expect(try once.filtered().isFiltered && once.narrowed().isFiltered)
    }
}
