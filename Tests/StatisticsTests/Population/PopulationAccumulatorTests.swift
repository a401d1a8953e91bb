import Statistics
import TensorCore
import TestSupport
import Testing

struct PopulationAccumulatorTests {
    static let all = Set(StatisticPart.allCases)
    static let close = Tolerance.close(
        absolute: 1e-6,
        relative: 1e-6,
        because: "the oracle sums with rounding"
    )

    static func accumulator(
        _ batches: some Sequence<PopulationOracle.Batch>,
        depth: Int
    ) throws -> PopulationAccumulator {
        var accumulator = PopulationAccumulator(label: "bn", depth: depth, parts: all)
        for batch in batches { try accumulator.add(batch.statistic) }
        return accumulator
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var depth: Int
        var seed: Int
        var testDescription: String { "depth \(depth), seed \(seed)" }

        func batches(_ random: inout SplitMix, shortest: Int = 1) -> [PopulationOracle.Batch] {
            PopulationOracle.random(
                batches: Int.random(in: 1...7, using: &random),
                depth: depth,
                channels: Int.random(in: 1...3, using: &random),
                using: &random,
                shortest: shortest
            )
        }
    }

    static let cases = (0..<48).map { Case(depth: $0 % 4, seed: $0) }

    /// Compares where the oracle has a value.
    private func check(_ actual: Tensor?, _ expected: [[Double]?], _ lengths: [Int]) throws {
        let actual = try #require(actual)
        let channels = actual.shape[lengths.count]
        #expect(actual.shape.dimensions == lengths + [channels])
        let values = actual.doubles
        for (cell, row) in expected.enumerated() {
            for (channel, value) in (row ?? []).enumerated() {
                #expect(Self.close.allows(values[cell * channels + channel], value))
            }
        }
    }

    @Test(arguments: cases) func `the mean of batches that repeat their last step`(test: Case) throws {
        var random = SplitMix(seed: test.seed)
        let oracle = PopulationOracle(test.batches(&random))
        let accumulator = try Self.accumulator(oracle.batches, depth: test.depth)
        let population = try accumulator.estimate(.meanOfBatches, tail: .repeat)
        try check(population.mean, oracle.repeated { $0.mean[$1] ?? [] }, oracle.lengths)
        try check(population.variance, oracle.repeated { $0.variance[$1] ?? [] }, oracle.lengths)
    }

    @Test(arguments: cases) func `the mean of batches that reached a step, and how many did`(test: Case)
        throws
    {
        var random = SplitMix(seed: test.seed)
        let oracle = PopulationOracle(test.batches(&random, shortest: test.seed % 3 == 0 ? 0 : 1))
        guard !oracle.lengths.contains(0), oracle.batches.contains(where: { !$0.extents.contains(0) }) else {
            return
        }
        let accumulator = try Self.accumulator(oracle.batches, depth: test.depth)
        let population = try accumulator.estimate(.meanOfBatches, tail: .hold)
        try check(population.mean, oracle.held { $0.mean[$1] ?? [] }, oracle.lengths)
        try check(population.variance, oracle.held { $0.variance[$1] ?? [] }, oracle.lengths)
        let coverage = PopulationOracle.steps(oracle.lengths).map { step in
            Int64(oracle.batches.filter { oracle.reaches($0, step) }.count)
        }
        #expect(try population.coverage == Tensor(coverage, shape: Shape(checking: oracle.lengths)))
        #expect(population.batches == oracle.batches.count)
    }

    @Test(arguments: cases) func `all positions of all batches`(test: Case) throws {
        var random = SplitMix(seed: test.seed)
        let oracle = PopulationOracle(test.batches(&random))
        guard oracle.batches.contains(where: { $0.count.values.contains { $0 > 0 } }) else { return }
        let population = try Self.accumulator(oracle.batches, depth: test.depth).estimate(
            .pooled,
            tail: .hold
        )
        let pooled = oracle.pooled()
        try check(population.mean, pooled.map { $0?.mean }, oracle.lengths)
        try check(population.variance, pooled.map { $0?.variance }, oracle.lengths)
        let positions = PopulationOracle.steps(oracle.lengths).map { step in
            oracle.batches.reduce(0) { $0 + ($1.count[step] ?? 0) }
        }
        #expect(try population.positions == Tensor(positions, shape: Shape(checking: oracle.lengths)))
    }

    @Test(arguments: cases) func `the gist's estimator`(test: Case) throws {
        var random = SplitMix(seed: test.seed)
        let oracle = PopulationOracle(test.batches(&random))
        let accumulator = try Self.accumulator(oracle.batches, depth: test.depth)
        let repeated = try accumulator.estimate(.gist, tail: .repeat)
        try check(repeated.variance, oracle.repeated(PopulationOracle.gist), oracle.lengths)
        let held = try accumulator.estimate(.gist, tail: .hold)
        try check(held.variance, oracle.held(PopulationOracle.gist), oracle.lengths)
        #expect(try held.mean == accumulator.estimate(.meanOfBatches, tail: .hold).mean)
    }

    @Test(arguments: cases) func `order and split of the batches change no bit`(test: Case) throws {
        var random = SplitMix(seed: test.seed)
        let batches = test.batches(&random)
        let whole = try Self.accumulator(batches, depth: test.depth)
        var merged = PopulationAccumulator(label: "bn", depth: test.depth, parts: Self.all)
        var rest = batches.shuffled(using: &random)[...]
        while !rest.isEmpty {
            let count = Int.random(in: 0...rest.count, using: &random)
            var part = try Self.accumulator(rest.prefix(count), depth: test.depth)
            rest = rest.dropFirst(count)
            if Bool.random(using: &random) { swap(&part, &merged) }
            try merged.merge(part)
        }
        #expect(merged == whole)
        #expect(merged.outline == whole.outline)
        #expect(merged.tensors == whole.tensors)
        for estimator in Estimator.allCases {
            for tail in Tail.allCases {
                let expected = try? whole.estimate(estimator, tail: tail)
                #expect((try? merged.estimate(estimator, tail: tail)) == expected)
            }
        }
    }

    @Test(arguments: cases) func `a stored accumulator is the same one`(test: Case) throws {
        var random = SplitMix(seed: test.seed)
        let batches = test.batches(&random)
        let whole = try Self.accumulator(batches, depth: test.depth)
        var stored = try PopulationAccumulator(outline: whole.outline, tensors: whole.tensors)
        #expect(stored == whole)
        #expect(stored.tensors == whole.tensors)
        var longer = whole
        for batch in test.batches(&random) where batch.channels == whole.channelCount {
            try stored.add(batch.statistic)
            try longer.add(batch.statistic)
        }
        #expect(stored == longer)
    }

    @Test func `one batch is its own population`() throws {
        var random = SplitMix(seed: 5)
        for depth in 0...3 {
            let batch = PopulationOracle.random(batches: 1, depth: depth, channels: 4, using: &random)[0]
            let statistic = try batch.statistic
            let population = try Self.accumulator([batch], depth: depth).estimate(
                .meanOfBatches,
                tail: .repeat
            )
            #expect(population.mean == statistic.mean)
            #expect(population.variance == statistic.variance)
        }
    }

    @Test func `memory does not grow with the number of batches`() throws {
        var random = SplitMix(seed: 6)
        let batches = PopulationOracle.random(batches: 8, depth: 2, channels: 2, using: &random)
        var accumulator = try Self.accumulator(batches, depth: 2)
        let size = accumulator.tensors.values.reduce(0) { $0 + $1.byteCount }
        let statistics = try batches.map { try $0.statistic }
        for index in 0..<2000 { try accumulator.add(statistics[index % 8]) }
        // A limb more holds 2^64 times as many batches.
        #expect(accumulator.tensors.values.reduce(0) { $0 + $1.byteCount } <= size * 2)
        #expect(accumulator.batches == 2008)
    }

    @Test func `a variance does not cancel beside a large mean`() throws {
        var accumulator = PopulationAccumulator(label: "bn", parts: [.mean, .variance, .count])
        for (mean, count) in [(1e8, 3.0), (1e8 + 1e-6, 5.0)] {
            try accumulator.add(
                BatchStatistic(
                    mean: Tensor(scalar: mean),
                    variance: Tensor(scalar: 1e-14),
                    count: Tensor(scalar: count)
                )
            )
        }
        let distance = (1e8 + 1e-6) - 1e8
        let expected = 1e-14 + 15.0 / 64 * distance * distance
        let population = try accumulator.estimate(.pooled, tail: .hold)
        let variance = try #require(population.variance?.doubles.first)
        #expect(abs(variance - expected) <= 4 * expected.ulp)
        #expect(population.variance?.elementType == .float64)
    }

    @Test func `a single exact value stays itself, however many batches`() throws {
        var accumulator = PopulationAccumulator(label: "bn", parts: [.mean, .variance, .count])
        let third = Float(1) / 3
        for _ in 0..<1001 {
            try accumulator.add(
                BatchStatistic(
                    mean: Tensor(scalar: third),
                    variance: Tensor(scalar: third),
                    count: Tensor(scalar: Int32(7))
                )
            )
        }
        for estimator in [Estimator.pooled, .meanOfBatches] {
            let population = try accumulator.estimate(estimator, tail: .repeat)
            #expect(population.mean == Tensor(scalar: third))
            #expect(population.variance == Tensor(scalar: third))
        }
    }
}
