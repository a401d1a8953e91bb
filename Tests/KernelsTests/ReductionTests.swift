import Foundation
import Kernels
import Testing

struct ReductionTests {
    static func reduce(_ reduction: Reduction, _ x: [Float], outer: Int, axis: Int, inner: Int) -> [Float] {
        var y = [Float](repeating: 9, count: outer * inner + 1)
        reduction.reduce(x, into: &y, outer: outer, axis: axis, inner: inner)
        #expect(y.removeLast() == 9, "writes behind the end")
        return y
    }

    static func oracle(_ reduction: Reduction, _ values: [Double]) -> Double {
        switch reduction {
        case .sum: values.reduce(0, +)
        case .mean: values.reduce(0, +) / Double(values.count)
        case .maximum: values.contains { $0.isNaN } ? .nan : values.max() ?? -.infinity
        case .minimum: values.contains { $0.isNaN } ? .nan : values.min() ?? .infinity
        case .sumOfSquares: values.reduce(0) { $0 + $1 * $1 }
        }
    }

    @Test(arguments: Reduction.allCases)
    func `a reduction agrees with Double for every small shape`(reduction: Reduction) {
        var numbers = Numbers(seed: 11)
        for outer in [0, 1, 3] {
            for axis in [0, 1, 2, 15, 16, 17, 63, 64, 65, 130, 300] {
                for inner in [1, 2, 5, 16, 33] {
                    let x = numbers.array(outer * axis * inner)
                    let y = Self.reduce(reduction, x, outer: outer, axis: axis, inner: inner)
                    for (index, value) in y.enumerated() {
                        let start = index / inner * axis * inner + index % inner
                        let expected = Self.oracle(
                            reduction,
                            (0..<axis).map { Double(x[start + $0 * inner]) }
                        )
                        let matches =
                            abs(Double(value) - expected) <= 2e-6 * max(10, abs(expected))
                            || [value].bits == [Float(expected)].bits
                        #expect(matches, "\(outer) \(axis) \(inner): \(value) \(expected)")
                    }
                }
            }
        }
    }

    @Test(arguments: [Reduction.maximum, .minimum])
    func `NaN anywhere wins over every number`(reduction: Reduction) {
        for axis in [1, 7, 16, 40] {
            for place in 0..<axis {
                var x = [Float](repeating: 1, count: axis)
                x[place] = .nan
                #expect(Self.reduce(reduction, x, outer: 1, axis: axis, inner: 1)[0].isNaN)
                let columns = x.flatMap { (value: Float) -> [Float] in [value, 2] }
                let y = Self.reduce(reduction, columns, outer: 1, axis: axis, inner: 2)
                #expect(y[0].isNaN && y[1] == 2)
            }
        }
    }

    @Test(arguments: [Reduction.sum, .sumOfSquares], [1, 3])
    func `zeros at the end change no bit of a sum`(reduction: Reduction, inner: Int) {
        var numbers = Numbers(seed: 12)
        for length in [1, 2, 15, 16, 31, 64, 100, 128, 129, 2554] {
            let x = numbers.array(length * inner)
            let alone = Self.reduce(reduction, x, outer: 1, axis: length, inner: inner)
            for zeros in [1, 15, 16, 63, 64, 200] {
                let padded = x + [Float](repeating: 0, count: zeros * inner)
                let y = Self.reduce(reduction, padded, outer: 1, axis: length + zeros, inner: inner)
                #expect(y.bits == alone.bits, "\(length) + \(zeros)")
            }
        }
    }

    @Test(arguments: [false, true], [1, 3])
    func `softmax agrees with Double and sums to one`(logarithm: Bool, inner: Int) {
        var numbers = Numbers(seed: 13)
        for axis in [1, 2, 9, 16, 21, 100] {
            for shift: Float in [0, 90, -400, 1e30] {
                let x = numbers.array(2 * axis * inner).map { $0 * 20 + shift }
                var y = [Float](repeating: 0, count: x.count)
                Softmax.apply(x, into: &y, outer: 2, axis: axis, inner: inner, logarithm: logarithm)
                for column in 0..<2 * inner {
                    let indices = (0..<axis).map {
                        column / inner * axis * inner + column % inner + $0 * inner
                    }
                    let largest = indices.map { Double(x[$0]) }.max() ?? 0
                    let sum = indices.reduce(0.0) { $0 + exp(Double(x[$1]) - largest) }
                    for index in indices {
                        let difference = Double(x[index]) - largest
                        let expected = logarithm ? difference - log(sum) : exp(difference) / sum
                        #expect(abs(Double(y[index]) - expected) <= 1e-6 * max(1, abs(expected)))
                    }
                }
            }
        }
    }

    @Test(arguments: [-1e9, -.infinity] as [Float], [1, 3])
    func `what a mask shuts out of a softmax weighs nothing at all`(shut: Float, inner: Int) {
        var numbers = Numbers(seed: 17)
        for axis in [2, 17, 64, 65, 200] {
            var x = numbers.array(axis * inner).map { $0 * 20 }
            for index in axis / 2 * inner..<axis * inner { x[index] += shut }
            var y = x
            Softmax.apply(x, into: &y, outer: 1, axis: axis, inner: inner)
            #expect(y[(axis / 2 * inner)...].allSatisfy { $0 == 0 })
            let sums = (0..<inner).map { column in (0..<axis).reduce(0) { $0 + y[$1 * inner + column] } }
            #expect(sums.allSatisfy { abs($0 - 1) < 1e-5 })
        }
    }

    @Test func `NaN anywhere makes a whole softmax NaN`() {
        for axis in [1, 7, 64, 130] {
            for place in 0..<axis {
                var x = (0..<axis).map { Float($0 % 5) }
                x[place] = .nan
                var y = x
                Softmax.apply(x, into: &y, outer: 1, axis: axis, inner: 1)
                #expect(y.allSatisfy { $0.isNaN })
            }
        }
    }

    @Test func `layer normalization agrees with Double`() {
        var numbers = Numbers(seed: 14)
        for columns in [1, 2, 15, 64, 100] {
            let x = numbers.array(3 * columns).map { $0 + 100 }
            let (scale, bias) = (numbers.array(columns), numbers.array(columns))
            var y = x
            var means = [Float](repeating: 0, count: 3)
            var inverses = means
            LayerNormalization.apply(
                x,
                into: &y,
                rows: 3,
                columns: columns,
                epsilon: 1e-5,
                scale: scale,
                bias: bias,
                means: &means,
                inverseDeviations: &inverses
            )
            for row in 0..<3 {
                let values = x[(row * columns)..<((row + 1) * columns)].map(Double.init)
                let mean = values.reduce(0, +) / Double(columns)
                let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
                let inverse = 1 / (variance + 1e-5).squareRoot()
                #expect(abs(Double(means[row]) - mean) < 1e-5)
                #expect(abs(Double(inverses[row]) / inverse - 1) < 1e-4)
                for column in 0..<columns {
                    let expected =
                        (values[column] - mean) * inverse * Double(scale[column]) + Double(bias[column])
                    #expect(abs(Double(y[row * columns + column]) - expected) < 1e-4)
                }
            }
        }
    }
}
