import Foundation
import Kernels
import Testing

struct ElementwiseTests {
    /// The function in Double, and the ulp it may be off (or, where it cancels, the absolute error).
    static func reference(_ operation: UnaryOperation) -> (
        function: (Double) -> Double, ulps: Double, absolute: Double
    ) {
        switch operation {
        case .identity: ({ $0 }, 0, 0)
        case .exp: ({ Foundation.exp($0) }, 1.5, 0)
        case .log: ({ Foundation.log($0) }, 2, 0)
        case .tanh: ({ Foundation.tanh($0) }, 2.5, 0)
        case .sigmoid: ({ 1 / (1 + Foundation.exp(-$0)) }, 2.5, 1.7e-38)
        case .erf: ({ Foundation.erf($0) }, 2, 0)
        case .relu: ({ $0.isNaN ? $0 : Swift.max($0, 0) }, 0, 0)
        case .squareRoot: ({ $0.squareRoot() }, 0.5001, 0)
        case .reciprocal: ({ 1 / $0 }, 0.5001, 0)
        case .negate: ({ -$0 }, 0, 0)
        case .absolute: ({ Swift.abs($0) }, 0, 0)
        case .gelu:
            ({ $0 == -.infinity ? 0 : $0 / 2 * (1 + Foundation.erf($0 / 2.0.squareRoot())) }, 4, 2e-7)
        case .geluTanh:
            (
                { x in
                    if x.isInfinite { return x < 0 ? 0 : x }
                    return x / 2
                        * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
                }, 4, 2e-7
            )
        case .silu: ({ $0 == -.infinity ? 0 : $0 / (1 + Foundation.exp(-$0)) }, 3, 1.5e-36)
        case .softplus:
            ({ $0.isNaN ? $0 : Swift.max($0, 0) + Foundation.log1p(Foundation.exp(-Swift.abs($0))) }, 3, 0)
        case .floor: ({ $0.rounded(.down) }, 0, 0)
        case .ceiling: ({ $0.rounded(.up) }, 0, 0)
        case .round: ({ $0.rounded(.toNearestOrEven) }, 0, 0)
        case .sign: ({ $0.isNaN ? $0 : $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }, 0, 0)
        case .square: ({ $0 * $0 }, 0.5001, 0)
        }
    }

    /// Edge values, a dense sweep around 0 and all magnitudes.
    static let samples: [Float] = {
        var values = edgeValues
        var x: Float = -110
        while x < 110 {
            values.append(x)
            x += 0.0071
        }
        for pattern in stride(from: UInt32(0), to: 0x7F80_0000, by: 80_021) {
            values.append(Float(bitPattern: pattern))
            values.append(-Float(bitPattern: pattern))
        }
        return values
    }()

    @Test(arguments: UnaryOperation.allCases)
    func `a function agrees with the C library's in Double`(operation: UnaryOperation) {
        let (function, limit, absolute) = Self.reference(operation)
        let x = Self.samples
        var y = [Float](repeating: 0, count: x.count)
        Elementwise.apply(operation, to: x, into: &y, count: x.count)
        var worst = (error: 0.0, at: Float(0), value: Float(0))
        for (input, output) in zip(x, y) {
            let expected = function(Double(input))
            if absolute > 0 && abs(Double(output) - expected) <= absolute { continue }
            let error = ulps(output, expected)
            if error > worst.error { worst = (error, input, output) }
        }
        #expect(worst.error <= limit, "\(operation): \(worst)")
    }

    @Test(arguments: UnaryOperation.allCases)
    func `an element's bits do not depend on its place, the count or the alignment`(operation: UnaryOperation)
    {
        var numbers = Numbers(seed: 1)
        let x = numbers.array(70).map { $0 * 6 } + edgeValues
        var whole = [Float](repeating: 0, count: x.count)
        Elementwise.apply(operation, to: x, into: &whole, count: x.count)
        for start in 0..<20 {
            for count in 0...(x.count - start) {
                var part = [Float](repeating: 7, count: count + 1)
                x.withUnsafeBufferPointer { x in
                    guard let base = x.baseAddress else { return }
                    Elementwise.apply(operation, to: base + start, into: &part, count: count)
                }
                #expect(part[count] == 7, "writes behind the end")
                #expect(Array(part[..<count]).bits == Array(whole[start..<start + count]).bits)
            }
        }
    }

    @Test func `a function may work in place`() {
        var x = ElementwiseTests.samples
        var y = [Float](repeating: 0, count: x.count)
        Elementwise.apply(.tanh, to: x, into: &y, count: x.count)
        x.withUnsafeMutableBufferPointer { x in
            guard let base = x.baseAddress else { return }
            Elementwise.apply(.tanh, to: base, into: base, count: x.count)
        }
        #expect(x.bits == y.bits)
    }

    @Test func `clipping keeps NaN and the bounds`() {
        let x: [Float] = [-2, -1, 0, 1, 2, .nan, .infinity, -.infinity, 0.5]
        var y = [Float](repeating: 0, count: x.count)
        Elementwise.clip(x, into: &y, low: -1, high: 0.75, count: x.count)
        #expect(y.bits == [-1, -1, 0, 0.75, 0.75, .nan, 0.75, -1, 0.5].bits)
    }
}
