import CKernels
import Kernels
import Testing

struct InstructionSetTests {
    static let available = InstructionSet.allCases.filter(\.isAvailable)

    private func kernels(_ set: InstructionSet) throws -> sn_kernels {
        try #require(sn_kernels_for(Int32(set.rawValue))).pointee
    }

    @Test func `the one in use is available`() {
        #expect(InstructionSet.active.isAvailable)
        #expect(InstructionSet.baseline.isAvailable)
    }

    @Test(arguments: available)
    func `functions agree with the baseline within a few ulp`(set: InstructionSet) throws {
        let (table, baseline) = (try kernels(set), try kernels(.baseline))
        let x = ElementwiseTests.samples
        for operation in UnaryOperation.allCases {
            var (y, expected) = (x, x)
            table.unary(operation.rawValue, x, &y, x.count)
            baseline.unary(operation.rawValue, x, &expected, x.count)
            for index in x.indices {
                let near =
                    ulps(y[index], Double(expected[index])) <= 6 || abs(y[index] - expected[index]) <= 1e-6
                #expect(near, "\(operation) at \(x[index]): \(y[index]) \(expected[index])")
            }
        }
    }

    @Test(arguments: available)
    func `each is as accurate as promised`(set: InstructionSet) throws {
        let table = try kernels(set)
        let x = ElementwiseTests.samples
        for operation in UnaryOperation.allCases {
            let (function, limit, absolute) = ElementwiseTests.reference(operation)
            var y = x
            table.unary(operation.rawValue, x, &y, x.count)
            for (input, output) in zip(x, y) {
                let expected = function(Double(input))
                if absolute > 0 && abs(Double(output) - expected) <= absolute { continue }
                #expect(ulps(output, expected) <= limit + 1, "\(operation) at \(input): \(output)")
            }
        }
    }

    @Test(arguments: available)
    func `sums along rows have the same bits everywhere`(set: InstructionSet) throws {
        let (table, baseline) = (try kernels(set), try kernels(.baseline))
        var numbers = Numbers(seed: 15)
        for axis in [1, 3, 4, 15, 16, 64, 65, 1000] {
            let x = numbers.array(2 * axis)
            for operation in Reduction.allCases {
                var y: [Float] = [0, 0]
                var expected = y
                table.reduce(operation.rawValue, 2, axis, 1, x, &y)
                baseline.reduce(operation.rawValue, 2, axis, 1, x, &expected)
                #expect(y.bits == expected.bits)
            }
        }
    }

    @Test(arguments: available)
    func `a product that reads its weights from their end has the same bits`(set: InstructionSet) throws {
        let table = try kernels(set)
        var numbers = Numbers(seed: 21)
        let k = 19
        for n in [1, 16, 31, 32, 33, 63, 64, 65, 127, 128, 129, 160, 200, 384, 390] {
            let b = numbers.array(k * n)
            var panels = [Float](repeating: .nan, count: (n + 31) / 32 * 32 * k)
            table.pack(k, n, b, n, 1, &panels)
            for m in [1, 2, 3, 4, 6, 7, 12, 13, 170] {
                let a = numbers.array(m * k)
                var (forward, backward) = (
                    [Float](repeating: .nan, count: m * n), [Float](repeating: .infinity, count: m * n)
                )
                table.multiply(m, n, k, 1, a, k, panels, 0, &forward, n, nil, 0)
                table.multiply_backward(m, n, k, 1, a, k, panels, 0, &backward, n, nil, 0)
                #expect(forward.bits == backward.bits, "\(m) rows, \(n) columns")
            }
        }
    }

    @Test(arguments: available)
    func `products and both convolutions keep their rows' bits and agree with each other`(set: InstructionSet)
        throws
    {
        let table = try kernels(set)
        var numbers = Numbers(seed: 16)
        let (channels, outputs, kernel, length) = (20, 37, 3, 70)
        let k = channels * kernel
        let b = numbers.array(k * outputs)
        var panels = [Float](repeating: 0, count: (outputs + 31) / 32 * 32 * k)
        table.pack(k, outputs, b, outputs, 1, &panels)
        let x = numbers.array(length * channels)
        var shape = sn_convolution(
            input_channels: channels,
            output_channels: outputs,
            kernel: kernel,
            stride: 1,
            dilation: 2,
            pad_begin: 2,
            length: length,
            output_length: length,
            input_stride: channels,
            output_stride: outputs,
            finite_weights: true
        )
        var epilogue = sn_epilogue()
        var rows = [Float](repeating: 0, count: length * outputs)
        table.convolve_rows(&shape, x, panels, &rows, &epilogue, outputs)
        shape.input_stride = length
        shape.output_stride = length
        var first = rows
        table.convolve_channels(
            &shape,
            GEMMTests.transposed(x, rows: length, columns: channels),
            panels,
            &first,
            &epilogue,
            length
        )
        #expect(GEMMTests.transposed(rows, rows: length, columns: outputs).bits == first.bits)

        // The same windows, copied out, as a plain product, at every number of rows.
        let windows = (0..<length * k).map { index in
            let (t, step) = (index / k, index % k)
            let position = t + step / channels * 2 - 2
            return position >= 0 && position < length ? x[position * channels + step % channels] : 0
        }
        var scratch = [Float](repeating: 0, count: k * 32)
        for m in 1...length {
            var (packed, plain) = (
                [Float](repeating: 0, count: m * outputs), [Float](repeating: 0, count: m * outputs)
            )
            table.multiply(m, outputs, k, 1, windows, k, panels, 0, &packed, outputs, nil, 0)
            table.multiply_unpacked(m, outputs, k, 1, windows, k, b, outputs, 0, &plain, outputs, &scratch)
            #expect(packed.bits == Array(rows[..<(m * outputs)]).bits)
            #expect(plain.bits == packed.bits)
        }
    }
}
