import Foundation
import Statistics
import TestSupport
import Testing

struct ExactSumsTests {
    @Test func `no sums and sums of nothing are 0`() {
        #expect(ExactSums(count: 0) == ExactSums(count: 0))
        #expect(ExactSums(count: 2).value(at: 1) == 0)
    }

    @Test func `huge terms that cancel leave the small one`() {
        var sums = ExactSums(count: 1)
        for term in [1e300, 1, -1e300, 0x1p-1074] { sums.add(term, at: 0) }
        #expect(sums.value(at: 0) == 1)
        sums.add(-1, at: 0)
        #expect(sums.value(at: 0) == 0x1p-1074)
    }

    /// Terms are integers of 53 bits at most, times one power of two, so that 128 bits hold their sum.
    @Test(arguments: [-1074, -1000, -64, -1, 0, 63, 900]) func `a sum is rounded once`(exponent: Int) {
        var random = SplitMix(seed: exponent)
        for _ in 0..<300 {
            var sums = ExactSums(count: 3)
            var oracle: Int128 = 0
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                let integer = Int64.random(in: -(1 << 53)...(1 << 53), using: &random)
                let shift = exponent == -1074 ? 0 : Int.random(in: 0...60, using: &random)
                sums.add(scalbn(Double(integer), exponent + shift), at: 1)
                oracle += Int128(integer) << shift
            }
            #expect(sums.value(at: 1) == scalbn(Double(oracle), exponent))
            #expect(sums.value(at: 0) == 0 && sums.value(at: 2) == 0)
        }
    }

    @Test func `a product is not rounded`() {
        var random = SplitMix(seed: 1)
        for _ in 0..<1000 {
            let a = scalbn(
                Double.random(in: -1...1, using: &random),
                Int.random(in: -400...400, using: &random)
            )
            let b = scalbn(
                Double.random(in: -1...1, using: &random),
                Int.random(in: -400...400, using: &random)
            )
            var sums = ExactSums(count: 1)
            sums.addProduct(a, b, at: 0)
            #expect(sums.value(at: 0) == a * b)
            sums.add(-(a * b), at: 0)
            #expect(sums.value(at: 0) == (-(a * b)).addingProduct(a, b))
        }
    }

    @Test func `a product of three is not rounded`() {
        var random = SplitMix(seed: 2)
        for _ in 0..<1000 {
            let integers = (0..<3).map { _ in Int64.random(in: -(1 << 40)...(1 << 40), using: &random) }
            let product = integers.reduce(Int128(1)) { $0 * Int128($1) }
            var sums = ExactSums(count: 1)
            sums.addProduct(Double(integers[0]), Double(integers[1]), Double(integers[2]), at: 0)
            #expect(sums.value(at: 0) == Double(product))
            let rest = product - Int128(Double(product))
            sums.add(-Double(product), at: 0)
            #expect(sums.value(at: 0) == Double(rest))
        }
    }

    @Test func `products below the smallest double are kept`() {
        var sums = ExactSums(count: 1)
        for _ in 0..<4 { sums.addProduct(0x1p-1074, 0.25, at: 0) }
        #expect(sums.value(at: 0) == 0x1p-1074)
        var cubes = ExactSums(count: 1)
        cubes.addProduct(0x1p-1074, 0x1p-1074, 0x1p-1074, at: 0)
        #expect(cubes.value(at: 0) == 0)
        #expect(cubes != ExactSums(count: 1))
        cubes.addProduct(-0x1p-1074, 0x1p-1074, 0x1p-1074, at: 0)
        #expect(cubes == ExactSums(count: 1))
    }

    @Test func `rounding ties goes to even, also among the smallest doubles`() {
        let ulp = 0x1p-52
        let cases: [(terms: [Double], expected: Double)] = [
            ([1, ulp / 2], 1),
            ([1, ulp / 2, 0x1p-1074], 1 + ulp),
            ([1 + ulp, ulp / 2], 1 + 2 * ulp),
            ([-1, -ulp / 2, -0x1p-1074], -1 - ulp),
        ]
        for (terms, expected) in cases {
            var sums = ExactSums(count: 1)
            for term in terms { sums.add(term, at: 0) }
            #expect(sums.value(at: 0) == expected)
        }
        for (quarters, expected) in [(2, 0), (3, 1), (6, 2), (10, 2), (11, 3)] {
            var sums = ExactSums(count: 1)
            sums.addProduct(0x1p-1074, Double(quarters) / 4, at: 0)
            #expect(sums.value(at: 0) == scalbn(Double(expected), -1074))
        }
    }

    @Test func `a sum beyond the range of double comes back`() {
        var sums = ExactSums(count: 1)
        for _ in 0..<1000 { sums.add(.greatestFiniteMagnitude, at: 0) }
        #expect(sums.value(at: 0) == .infinity)
        for _ in 0..<999 { sums.add(-.greatestFiniteMagnitude, at: 0) }
        #expect(sums.value(at: 0) == .greatestFiniteMagnitude)
    }

    @Test func `what is not finite spoils its own sum for good`() {
        var sums = ExactSums(count: 3)
        sums.add(1, at: 0)
        sums.add(.nan, at: 1)
        sums.addProduct(.infinity, 0, at: 2)
        sums.add(5, at: 2)
        #expect(sums.value(at: 0) == 1)
        #expect(sums.value(at: 1).isNaN && sums.value(at: 2).isNaN)
    }

    @Test(arguments: 0..<50) func `order and split of the terms do not matter`(seed: Int) {
        var random = SplitMix(seed: seed)
        let terms = (0..<60).map { _ in
            (
                value: scalbn(
                    Double.random(in: -1...1, using: &random),
                    Int.random(in: -300...300, using: &random)
                ),
                index: Int.random(in: 0..<3, using: &random)
            )
        }
        func sums(_ terms: some Sequence<(value: Double, index: Int)>) -> ExactSums {
            var sums = ExactSums(count: 3)
            for term in terms { sums.add(term.value, at: term.index) }
            return sums
        }
        let whole = sums(terms)
        let shuffled = terms.shuffled(using: &random)
        let cut = Int.random(in: 0...60, using: &random)
        var merged = sums(shuffled[cut...])
        merged.merge(sums(shuffled[..<cut]))
        #expect(sums(shuffled) == whole)
        #expect(merged == whole)
        for index in 0..<3 { #expect(merged.value(at: index) == whole.value(at: index)) }
    }

    @Test func `sums that differ in the last bit are not equal`() {
        var a = ExactSums(count: 1)
        a.add(1, at: 0)
        var b = a
        b.add(0x1p-1074, at: 0)
        #expect(a != b)
        #expect(a != ExactSums(count: 1))
        #expect(ExactSums(count: 1) != ExactSums(count: 2))
    }
}
