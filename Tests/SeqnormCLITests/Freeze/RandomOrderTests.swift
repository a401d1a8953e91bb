import Testing

@testable import SeqnormCLI

@Suite struct RandomOrderTests {
    @Test func `random numbers are those of SplitMix64`() {
        var numbers = SplitMix64(seed: 1_234_567)
        let found = (0..<5).map { _ in numbers.next() }
        #expect(
            found == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ]
        )
    }

    @Test(arguments: [0, 1, 2, 3, 17, 270, 5000]) func `an order has every number once`(count: Int) {
        for seed in UInt64(0)..<4 {
            let order = RandomOrder.shuffled(count, seed: seed)
            #expect(order.sorted() == (0..<UInt32(count)).map(\.self))
            #expect(order == RandomOrder.shuffled(count, seed: seed))
        }
    }

    @Test func `every order of three is about as likely`() {
        var counts: [[UInt32]: Int] = [:]
        for seed in UInt64(0)..<6000 { counts[RandomOrder.shuffled(3, seed: seed), default: 0] += 1 }
        #expect(counts.count == 6)
        #expect(counts.values.allSatisfy { (850...1150).contains($0) })
    }

    @Test(arguments: 0...40, 1...12) func `parts follow each other and differ by one at most`(
        count: Int,
        size: Int
    ) {
        let parts = (0..<RandomOrder.partCount(of: count, size: size)).map {
            RandomOrder.part($0, of: count, size: size)
        }
        #expect(parts.flatMap { Array($0) } == Array(0..<count))
        #expect(parts.allSatisfy { (1...size).contains($0.count) })
        let sizes = parts.map(\.count)
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
    }
}
