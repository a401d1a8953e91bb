import Statistics
import TestSupport
import Testing

struct MomentsTests {
    private func moments(_ values: [Double]) throws -> Moments {
        let mean = values.reduce(0, +) / Double(max(1, values.count))
        let m2 = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return try Moments(count: values.count, mean: [mean], m2: [m2])
    }

    @Test func `merging is symmetric to the bit`() throws {
        var random = RandomBatch(seed: 20)
        for _ in 0..<1000 {
            func some() -> [Double] {
                (0...random.index(below: 5)).map { _ in Double(random.index(below: 1000)) / 7 }
            }
            let (a, b) = (try moments(some()), try moments(some()))
            var (left, right) = (a, b)
            try left.merge(b)
            try right.merge(a)
            #expect(left == right)
        }
    }

    @Test func `a far mean costs a naive sum its variance, not the merged one`() throws {
        let values = (0..<1000).map { 1e8 + Double($0 % 10) }
        var merged = Moments(channels: 1)
        for start in stride(from: 0, to: 1000, by: 30) {
            try merged.merge(moments(Array(values[start..<min(start + 30, 1000)])))
        }
        let variance = try merged.variance(divisor: .count)
        #expect(abs(variance[0] - 8.25) < 1e-6)
    }

    @Test func `nothing merged in changes nothing`() throws {
        let some = try moments([1, 2, 4])
        var merged = some
        try merged.merge(Moments(channels: 1))
        #expect(merged == some)
        merged = Moments(channels: 1)
        try merged.merge(some)
        #expect(merged == some)
        #expect(Moments(channels: -3).channels == 0)
    }

    @Test func `the divisors are n and n - 1`() throws {
        let some = try moments([1, 2, 3, 6])
        #expect(try some.variance(divisor: .count) == [3.5])
        #expect(try some.variance(divisor: .countMinusOne) == [14.0 / 3])
        #expect(try moments([5]).variance(divisor: .count) == [0])
        #expect(throws: MaskedBatchNormError.oneValidPosition) {
            try moments([5]).variance(divisor: .countMinusOne)
        }
        for divisor in Moments.Divisor.allCases {
            #expect(throws: MaskedBatchNormError.noValidPosition) {
                try Moments(channels: 1).variance(divisor: divisor)
            }
        }
    }

    @Test func `moments that cannot be are refused`() throws {
        #expect(throws: MaskedBatchNormError.channels(expected: 1, actual: 2)) {
            try Moments(count: 1, mean: [0], m2: [0, 0])
        }
        #expect(throws: MaskedBatchNormError.count) { try Moments(count: -1, mean: [0], m2: [0]) }
        #expect(throws: MaskedBatchNormError.count) { try Moments(count: 0, mean: [1], m2: [0]) }
        #expect(throws: MaskedBatchNormError.negativeSpread(channel: 1)) {
            try Moments(count: 2, mean: [0, 0], m2: [0, -1])
        }
        var some = try moments([1, 2])
        let before = some
        #expect(throws: MaskedBatchNormError.channels(expected: 1, actual: 2)) {
            try some.merge(Moments(channels: 2))
        }
        #expect(throws: MaskedBatchNormError.count) {
            try some.merge(Moments(count: .max, mean: [0], m2: [0]))
        }
        #expect(some == before)
    }
}
