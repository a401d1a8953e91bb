import Statistics
import TensorCore
import TestSupport
import Testing

/// Steps that nobody reaches, counts of other shapes, and batches that do not fit.
struct PopulationEdgeTests {
    private static func floats(_ values: [Float], _ dimensions: [Int]) throws -> Tensor {
        try Tensor(values, shape: Shape(checking: dimensions))
    }

    private static func values(_ tensor: Tensor?) throws -> [Double] { try #require(tensor).doubles }

    @Test func `a step that no batch reached holds the last one on the innermost axis`() throws {
        var accumulator = PopulationAccumulator(label: "bn", depth: 2, parts: [.mean])
        for (extents, value) in [([1, 3], Float(1)), ([3, 1], 2)] {
            let mean = try Self.floats(Array(repeating: value, count: 3), extents)
            try accumulator.add(BatchStatistic(mean: mean, extents: extents))
        }
        let held = try accumulator.estimate(.meanOfBatches, tail: .hold)
        #expect(try Self.values(held.mean) == [1.5, 1, 1, 2, 2, 2, 2, 2, 2])
        #expect(held.coverage.array(of: Int64.self) == [2, 1, 1, 1, 0, 0, 1, 0, 0])
        let repeated = try accumulator.estimate(.meanOfBatches, tail: .repeat)
        #expect(try Self.values(repeated.mean) == Array(repeating: 1.5, count: 9))
    }

    @Test func `the branch that was not taken has no say`() throws {
        var accumulator = PopulationAccumulator(label: "bn", depth: 1, parts: [.mean])
        for (values, reached) in [([9, 1, 9, 9], [0, 1, 0, 0]), ([9, 3, 5, 9], [0, 1, 1, 0])] {
            try accumulator.add(
                BatchStatistic(
                    mean: Self.floats(values.map(Float.init), [4, 1]),
                    reached: Tensor(reached.map(Int64.init), shape: [4]),
                    extents: [4]
                )
            )
        }
        let held = try accumulator.estimate(.meanOfBatches, tail: .hold)
        #expect(try Self.values(held.mean) == [2, 2, 5, 5])
        #expect(held.coverage.array(of: Int64.self) == [0, 2, 1, 0])
    }

    @Test func `a loop without steps says nothing`() throws {
        var accumulator = PopulationAccumulator(label: "bn", depth: 1, parts: [.mean])
        try accumulator.add(BatchStatistic(mean: Self.floats([], [0, 2]), extents: [0]))
        #expect(throws: StatisticsError.neverReached(label: "bn")) {
            try accumulator.estimate(.meanOfBatches, tail: .repeat)
        }
        try accumulator.add(BatchStatistic(mean: Self.floats([1, 2], [1, 2]), extents: [1]))
        let population = try accumulator.estimate(.meanOfBatches, tail: .repeat)
        #expect(try Self.values(population.mean) == [1, 2])
        #expect(population.batches == 2)
    }

    @Test func `a loop in a loop may run another number of steps each time`() throws {
        var accumulator = PopulationAccumulator(label: "bn", depth: 2, parts: [.mean, .count])
        let first = BatchStatistic(
            mean: try Self.floats([1, 2, 3, .nan, .nan, .nan, 5, 6, .nan], [3, 3, 1]),
            count: try Self.floats([1, 1, 1, 7, 7, 7, 2, 2, 7], [3, 3]),
            extents: [3, 3],
            steps: [[3, 0, 2]]
        )
        let second = BatchStatistic(
            mean: try Self.floats([10, 20, 30, 40], [2, 2, 1]),
            count: try Self.floats([3, 3, 3, 3], [2, 2]),
            extents: [2, 2]
        )
        try accumulator.add(first)
        try accumulator.add(second)
        let held = try accumulator.estimate(.meanOfBatches, tail: .hold)
        #expect(try Self.values(held.mean) == [5.5, 11, 3, 30, 40, 40, 5, 6, 6])
        #expect(held.coverage.array(of: Int64.self) == [2, 2, 1, 1, 1, 0, 1, 1, 0])
        // Behind its last step in a loop the first batch goes on with 3, or 6; where the loop had none it says nothing.
        let repeated = try accumulator.estimate(.meanOfBatches, tail: .repeat)
        #expect(try Self.values(repeated.mean) == [5.5, 11, 11.5, 30, 40, 40, 17.5, 23, 23])
        let pooled = try accumulator.estimate(.pooled, tail: .hold)
        #expect(try Self.values(pooled.mean) == [7.75, 15.5, 3, 30, 40, 40, 5, 6, 6])
        for steps in [[[3, 0]], [[3, 0, 4]], [[3, -1, 2]], [[3, 0, 2], [1]]] {
            var other = first
            other.steps = steps
            #expect(throws: StatisticsError.stepsDiffer(label: "bn", extents: [3, 3])) {
                try accumulator.add(other)
            }
        }
    }

    @Test func `an accumulator that nothing was added to has no statistics`() {
        let accumulator = PopulationAccumulator(label: "bn", depth: 1, parts: [.mean])
        #expect(throws: StatisticsError.neverReached(label: "bn")) {
            try accumulator.estimate(.meanOfBatches, tail: .repeat)
        }
    }

    @Test func `without any position nothing can be pooled`() throws {
        var accumulator = PopulationAccumulator(label: "bn", parts: [.mean, .variance, .count])
        let zero = Tensor(scalar: Float(0))
        try accumulator.add(BatchStatistic(mean: zero, variance: zero, count: zero))
        #expect(throws: StatisticsError.noPositions(label: "bn")) {
            try accumulator.estimate(.pooled, tail: .hold)
        }
    }

    @Test func `without positions a batch may divide by zero, unless every batch weighs the same`() throws {
        var accumulator = PopulationAccumulator(label: "bn", depth: 1, parts: [.mean, .variance, .count])
        let values = try Self.floats([1, .nan], [2, 1])
        let count = try Tensor([4, 0] as [Int64], shape: [2, 1])
        try accumulator.add(BatchStatistic(mean: values, variance: values, count: count, extents: [2]))
        let pooled = try accumulator.estimate(.pooled, tail: .hold)
        #expect(try Self.values(pooled.mean) == [1, 1])
        #expect(throws: StatisticsError.notFinite(.mean, label: "bn", step: [1])) {
            try accumulator.estimate(.meanOfBatches, tail: .hold)
        }
    }

    @Test func `a count may be of all steps, of outer ones, or of one`() throws {
        let mean = try Self.floats([1, 2, 3, 4, 5, 6], [2, 3, 1])
        for (shape, numbers) in [
            ([2, 3], [2, 2, 2, 1, 1, 1]), ([2, 3, 1, 1], [2, 2, 2, 1, 1, 1]), ([2], [2, 1]),
            ([2, 1], [2, 1]),
        ] {
            var accumulator = PopulationAccumulator(label: "bn", depth: 2, parts: [.mean, .count])
            let count = try Tensor(numbers.map(Int32.init), shape: Shape(checking: shape))
            try accumulator.add(BatchStatistic(mean: mean, count: count, extents: [2, 3]))
            let pooled = try accumulator.estimate(.pooled, tail: .hold)
            #expect(pooled.positions?.array(of: Double.self) == [2, 2, 2, 1, 1, 1])
            #expect(pooled.mean == mean)
        }
        var accumulator = PopulationAccumulator(label: "bn", depth: 2, parts: [.mean, .count])
        try accumulator.add(BatchStatistic(mean: mean, count: Tensor(scalar: UInt8(5)), extents: [2, 3]))
        #expect(
            try accumulator.estimate(.pooled, tail: .hold).positions
                == Tensor(repeating: 5.0, shape: [2, 3])
        )
    }

    @Test func `a lone value knows only the mean of batches`() throws {
        var lone = PopulationAccumulator(label: "x", parts: [.variance])
        try lone.add(BatchStatistic(variance: Tensor(scalar: Float(2))))
        #expect(try lone.estimate(.meanOfBatches, tail: .repeat).variance == Tensor(scalar: Float(2)))
        #expect(try lone.estimate(.meanOfBatches, tail: .repeat).mean == nil)
        #expect(throws: StatisticsError.estimatorNeeds(.mean, .pooled, label: "x")) {
            try lone.estimate(.pooled, tail: .repeat)
        }
        var mean = PopulationAccumulator(label: "x", parts: [.mean])
        try mean.add(BatchStatistic(mean: Tensor(scalar: Float(-2))))
        #expect(throws: StatisticsError.estimatorNeeds(.count, .pooled, label: "x")) {
            try mean.estimate(.pooled, tail: .repeat)
        }
        #expect(throws: StatisticsError.estimatorNeeds(.variance, .gist, label: "x")) {
            try mean.estimate(.gist, tail: .repeat)
        }
    }

    @Test func `a mean variance below 0 is refused`() throws {
        var accumulator = PopulationAccumulator(label: "bn", depth: 1, parts: [.variance])
        try accumulator.add(BatchStatistic(variance: Self.floats([1, -1], [2, 1]), extents: [2]))
        #expect(throws: StatisticsError.negativeVariance(label: "bn", step: [1])) {
            try accumulator.estimate(.meanOfBatches, tail: .hold)
        }
    }

    static let misfits: [(BatchStatistic, StatisticsError)] = {
        let good = Tensor(repeating: Float(1), shape: [2, 3])
        let count = Tensor(repeating: Float(4), shape: [2])
        func batch(
            _ mean: Tensor? = good,
            _ variance: Tensor? = good,
            _ count: Tensor? = count,
            _ extents: [Int] = [2]
        ) -> BatchStatistic { BatchStatistic(mean: mean, variance: variance, count: count, extents: extents) }
        var bad = good
        bad.withMutableElements(of: Float.self) { $0[4] = .nan }
        var infinite = good
        infinite.withMutableElements(of: Float.self) { $0[0] = -.infinity }
        let wide = Tensor(repeating: Float(1), shape: [2, 4])
        return [
            (batch(nil), .missing(.mean, label: "bn")),
            (batch(good, nil), .missing(.variance, label: "bn")),
            (batch(good, good, nil), .missing(.count, label: "bn")),
            (batch(good, good, count, []), .depthDiffers(label: "bn", expected: 1, actual: 0)),
            (batch(good, good, count, [-1]), .tooLarge(label: "bn", steps: [-1], channels: 1)),
            (
                batch(good, good, count, [3]),
                .extentsDiffer(.mean, label: "bn", extents: [3], shape: [2, 3])
            ),
            (batch(wide, wide), .channelsDiffer(.mean, label: "bn", expected: [3], actual: [4])),
            (batch(good, wide), .channelsDiffer(.variance, label: "bn", expected: [3], actual: [4])),
            (
                batch(Tensor(repeating: 1.0, shape: [2, 3])),
                .elementTypeDiffers(.mean, label: "bn", expected: .float32, actual: .float64)
            ),
            (
                batch(Tensor(repeating: Int64(1), shape: [2, 3])),
                .unsupportedElementType(.int64, .mean, label: "bn")
            ),
            (batch(bad), .notFinite(.mean, label: "bn", step: [1])),
            (batch(good, infinite), .notFinite(.variance, label: "bn", step: [0])),
            (
                batch(good, good, Tensor(repeating: Float(4), shape: [2, 3])),
                .countShape(.count, label: "bn", extents: [2], shape: [2, 3])
            ),
            (
                batch(good, good, Tensor(repeating: Float(4), shape: [3])),
                .countShape(.count, label: "bn", extents: [2], shape: [3])
            ),
            (
                batch(good, good, Tensor(repeating: Float(-1), shape: [2])),
                .invalidCount(.count, label: "bn", step: [0])
            ),
            (batch(good, good, Tensor(scalar: Float.nan)), .invalidCount(.count, label: "bn", step: [0])),
        ]
    }()

    @Test(arguments: misfits) func `a batch that does not fit is refused and changes nothing`(
        batch: BatchStatistic,
        error: StatisticsError
    ) throws {
        var accumulator = PopulationAccumulator(label: "bn", depth: 1, parts: [.mean, .variance, .count])
        let good = Tensor(repeating: Float(1), shape: [2, 3])
        try accumulator.add(
            BatchStatistic(mean: good, variance: good, count: Tensor(scalar: Float(1)), extents: [2])
        )
        let before = accumulator
        #expect(throws: error) { try accumulator.add(batch) }
        #expect(accumulator == before)
        #expect(error.description.hasPrefix("bn: "))
    }

    @Test func `mean and variance need as many channels`() {
        var accumulator = PopulationAccumulator(label: "bn", parts: [.mean, .variance])
        let error = StatisticsError.unequalChannels(label: "bn", mean: [2], variance: [1, 3])
        #expect(throws: error) {
            try accumulator.add(
                BatchStatistic(
                    mean: Tensor(repeating: Float(1), shape: [2]),
                    variance: Tensor(repeating: Float(1), shape: [1, 3])
                )
            )
        }
    }

    @Test func `more valid positions than positions are refused`() {
        var accumulator = PopulationAccumulator(label: "bn", parts: [.mean, .count, .total])
        let one = Tensor(scalar: Float(1))
        #expect(throws: StatisticsError.invalidCount(.count, label: "bn", step: [])) {
            try accumulator.add(BatchStatistic(mean: one, count: Tensor(scalar: Float(2)), total: one))
        }
    }

    @Test func `only accumulators of one statistic merge`() throws {
        var accumulator = PopulationAccumulator(label: "bn", parts: [.mean])
        try accumulator.add(BatchStatistic(mean: Tensor(scalar: Float(1))))
        for other in [
            PopulationAccumulator(label: "other", parts: [.mean]),
            PopulationAccumulator(label: "bn", depth: 1, parts: [.mean]),
            PopulationAccumulator(label: "bn", parts: [.mean, .count]),
        ] {
            let error = StatisticsError.notMergeable(label: "bn", other: other.label)
            #expect(throws: error) { try accumulator.merge(other) }
        }
        var wide = PopulationAccumulator(label: "bn", parts: [.mean])
        try wide.add(BatchStatistic(mean: Tensor(repeating: Float(1), shape: [2])))
        #expect(throws: StatisticsError.channelsDiffer(.mean, label: "bn", expected: [], actual: [2])) {
            try accumulator.merge(wide)
        }
        var double = PopulationAccumulator(label: "bn", parts: [.mean])
        try double.add(BatchStatistic(mean: Tensor(scalar: 1.0)))
        #expect(
            throws: StatisticsError.elementTypeDiffers(
                .mean,
                label: "bn",
                expected: .float32,
                actual: .float64
            )
        ) { try accumulator.merge(double) }
    }
}
