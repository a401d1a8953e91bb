import CKernels
import Kernels
import Testing

struct MaskedNormalizationTests {
    private static let runs: [[sn_run]] = [
        [], [sn_run(begin: 0, end: 1)], [sn_run(begin: 0, end: 15)], [sn_run(begin: 0, end: 16)],
        [sn_run(begin: 3, end: 100)],
        [sn_run(begin: 0, end: 2), sn_run(begin: 5, end: 40), sn_run(begin: 99, end: 100)],
    ]

    /// Rows of 100 with NaN everywhere but in the runs.
    private func rows(_ runs: [sn_run], _ numbers: inout Numbers) -> [Float] {
        (0..<300).map { index in
            let value = numbers.next()
            return runs.contains { $0.begin <= index % 100 && index % 100 < $0.end } ? value : .nan
        }
    }

    @Test(arguments: InstructionSetTests.available)
    func `moments have the same bits for every instruction set and see the runs only`(set: InstructionSet)
        throws
    {
        let table = try #require(sn_kernels_for(Int32(set.rawValue))).pointee
        var numbers = Numbers(seed: 31)
        for runs in Self.runs {
            let x = rows(runs, &numbers)
            let shifts: [Float] = [0.5, -2, 0]
            var lanes = [Double](repeating: 0, count: 3 * 2 * Int(SN_MOMENT_LANES))
            var scratch = [Float](repeating: 0, count: 100)
            table.add_moments(3, x, 100, runs.count, runs, shifts, &lanes, &scratch)
            var (sums, squares) = ([0.0, 0, 0], [0.0, 0, 0])
            table.join_lanes(3, lanes, &sums, &squares)
            for row in 0..<3 {
                var expected = [[Double]](
                    repeating: [Double](repeating: 0, count: Int(SN_MOMENT_LANES)),
                    count: 2
                )
                let places = runs.flatMap { Array($0.begin..<$0.end) }
                for (index, place) in places.enumerated() {
                    let d = Double(x[row * 100 + place]) - Double(shifts[row])
                    expected[0][index % expected[0].count] += d
                    expected[1][index % expected[0].count] += d * d
                }
                for kind in 0..<2 {
                    var half = expected[kind].count / 2
                    while half > 0 {
                        for lane in 0..<half { expected[kind][lane] += expected[kind][lane + half] }
                        half /= 2
                    }
                }
                #expect(sums[row] == expected[0][0])
                #expect(squares[row] == expected[1][0])
            }
        }
    }

    @Test(arguments: InstructionSetTests.available)
    func `normalization has the bits of the formula and zeros outside of the runs`(set: InstructionSet) throws
    {
        let table = try #require(sn_kernels_for(Int32(set.rawValue))).pointee
        var numbers = Numbers(seed: 32)
        let (means, factors, biases) = ([0.1, 1e-9, -3], [3.3, -0.1, 1e20], [0.7, 0, 1.0 / 3])
        let coefficients = (0..<3).map { sn_normalization_by(means[$0], factors[$0], biases[$0]) }
        for runs in Self.runs {
            let x = rows(runs, &numbers)
            // Guards behind the end.
            var y = [Float](repeating: .infinity, count: 320)
            table.normalize_rows(3, 100, x, &y, runs.count, runs, coefficients, false)
            let expected = x.enumerated().map { index, x in
                let row = index / 100
                let mean = Float(means[row])
                let difference = (x - mean) - Float(means[row] - Double(mean))
                let inFloat = difference * Float(factors[row]) + Float(biases[row])
                let inDouble = Float((Double(x) - means[row]) * factors[row] + biases[row])
                return x.isNaN ? 0 : factors[row] == 1e20 ? inDouble : inFloat
            }
            #expect(Array(y[..<300]).bits == expected.bits)
            #expect(y[300...].allSatisfy { $0 == .infinity })
            var inPlace = x
            inPlace.withUnsafeMutableBufferPointer { buffer in
                table.normalize_rows(
                    3,
                    100,
                    buffer.baseAddress,
                    buffer.baseAddress,
                    runs.count,
                    runs,
                    coefficients,
                    false
                )
            }
            #expect(inPlace.bits == expected.bits)
            var kept = [Float](repeating: 7, count: 320)
            table.normalize_rows(3, 100, x, &kept, runs.count, runs, coefficients, true)
            let valid = zip(x, expected).map { x, y in x.isNaN ? 7 : y }
            #expect(Array(kept[..<300]).bits == valid.bits)
            #expect(kept[300...].allSatisfy { $0 == 7 })
        }
    }

    @Test(arguments: InstructionSetTests.available)
    func `columns are rows of one element`(set: InstructionSet) throws {
        let table = try #require(sn_kernels_for(Int32(set.rawValue))).pointee
        var numbers = Numbers(seed: 33)
        for count in [1, 3, 16, 37] {
            let (x, shifts) = (numbers.array(count), numbers.array(count))
            let (means, factors) = (
                numbers.array(count).map(Double.init), numbers.array(count).map(Double.init)
            )
            let biases = numbers.array(count).map(Double.init)
            let coefficients = (0..<count).map { sn_normalization_by(means[$0], factors[$0], biases[$0]) }
            var run = sn_run(begin: 0, end: 1)
            var (a, b) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count))
            table.normalize_columns(count, x, &a, coefficients)
            table.normalize_rows(count, 1, x, &b, 1, &run, coefficients, false)
            #expect(a.bits == b.bits)
            var (sums, squares) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
            table.add_moments_of_columns(count, x, shifts, &sums, &squares)
            #expect(sums == zip(x, shifts).map { Double($0) - Double($1) })
            #expect(squares == sums.map { $0 * $0 })
        }
    }
}
