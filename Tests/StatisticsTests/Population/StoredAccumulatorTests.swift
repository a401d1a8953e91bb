import Statistics
import TensorCore
import TestSupport
import Testing

struct StoredAccumulatorTests {
    private static func sample() throws -> PopulationAccumulator {
        var random = SplitMix(seed: 11)
        let batches = PopulationOracle.random(batches: 4, depth: 2, channels: 2, using: &random)
        return try PopulationAccumulatorTests.accumulator(batches, depth: 2)
    }

    @Test func `a damaged outline is refused`() throws {
        let accumulator = try Self.sample()
        let changes: [(inout AccumulatorOutline) -> Void] = [
            { $0.depth = 1 }, { $0.depth = -1 }, { $0.depth = .max }, { $0.extents = [4] },
            { $0.extents = [1, 1] }, { $0.extents[0] = .max }, { $0.extents[1] = -4 },
            { $0.batches = 0 }, { $0.batches = -1 }, { $0.batches = .max }, { $0.batches = 1 },
            { $0.parts = [.mean] }, { $0.parts = [.count] }, { $0.mean = nil }, { $0.mean?.channels = [3] },
            { $0.mean?.channels = [-2] }, { $0.mean?.elementType = "int8" }, { $0.mean?.elementType = "" },
            { $0.mean?.channels = [.max, .max] }, { $0.variance?.channels = [1] },
        ]
        for (index, change) in changes.enumerated() {
            var outline = accumulator.outline
            change(&outline)
            #expect(throws: StatisticsError.self, "change \(index)") {
                try PopulationAccumulator(outline: outline, tensors: accumulator.tensors)
            }
        }
    }

    @Test func `a missing, a changed and a foreign tensor are refused`() throws {
        let accumulator = try Self.sample()
        for name in accumulator.tensors.keys {
            var tensors = accumulator.tensors
            let tensor = tensors.removeValue(forKey: name)
            #expect(throws: StatisticsError.self, "\(name)") {
                try PopulationAccumulator(outline: accumulator.outline, tensors: tensors)
            }
            for wrong in [
                Tensor(scalar: Float(0)), Tensor(scalar: Int64(1 << 40)),
                Tensor(repeating: Int64(-100), shape: tensor?.shape ?? []),
                Tensor(repeating: UInt64.max >> 1, shape: tensor?.shape ?? []),
            ] {
                tensors[name] = wrong
                #expect(throws: StatisticsError.self, "\(name)") {
                    try PopulationAccumulator(outline: accumulator.outline, tensors: tensors)
                }
            }
        }
        var tensors = accumulator.tensors
        tensors["more"] = Tensor(scalar: Float(0))
        #expect(throws: StatisticsError.self) {
            try PopulationAccumulator(outline: accumulator.outline, tensors: tensors)
        }
    }

    @Test(arguments: 0..<20) func `changed sums are read or refused, and never trap`(seed: Int) throws {
        var random = SplitMix(seed: seed)
        let accumulator = try Self.sample()
        for _ in 0..<20 {
            var tensors = accumulator.tensors
            let name = try #require(tensors.keys.sorted().randomElement(using: &random))
            var tensor = try #require(tensors[name])
            tensor.withMutableBytes { bytes in
                guard let place = bytes.indices.randomElement(using: &random) else { return }
                bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            tensors[name] = tensor
            guard var read = try? PopulationAccumulator(outline: accumulator.outline, tensors: tensors) else {
                continue
            }
            for estimator in Estimator.allCases { _ = try? read.estimate(estimator, tail: .repeat) }
            try read.merge(read)
            try read.merge(accumulator)
            for estimator in Estimator.allCases { _ = try? read.estimate(estimator, tail: .hold) }
        }
    }

    @Test func `forged numbers of batches do not trap`() throws {
        let accumulator = try Self.sample()
        var outline = accumulator.outline
        outline.batches = 1 << 53
        var tensors = accumulator.tensors
        let batches = try #require(tensors["plain.batches"])
        tensors["plain.batches"] = Tensor(repeating: Int64(1 << 53), shape: batches.shape)
        var read = try PopulationAccumulator(outline: outline, tensors: tensors)
        for tail in Tail.allCases { _ = try? read.estimate(.meanOfBatches, tail: tail) }
        #expect(throws: StatisticsError.tooManyBatches(label: "bn")) { try read.merge(accumulator) }
        let batch = try PopulationOracle.Batch(extents: [0, 0], channels: 2).statistic
        #expect(throws: StatisticsError.tooManyBatches(label: "bn")) { try read.add(batch) }
    }
}
