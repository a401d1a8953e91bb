import Statistics
import TensorCore
import TestSupport
import Testing

/// The statistics of single batches, put together, against what PyTorch and numpy made of the same batches.
struct ReferencePopulationTests {
    private static let relativeLimit = 1e-5

    /// Compares to 1e-5 of the largest value, at steps where `isCompared`.
    private func check(
        _ actual: Tensor?,
        _ expected: Tensor?,
        _ name: String,
        isCompared: ((Int) -> Bool)? = nil
    ) throws {
        let actual = try #require(actual, "\(name)")
        let expected = try #require(expected, "\(name)")
        #expect(actual.shape == expected.shape, "\(name)")
        let channels = expected.shape[expected.shape.rank - 1]
        let scale = expected.doubles.map(\.magnitude).max() ?? 1
        var largest = 0.0
        for (index, (a, b)) in zip(actual.doubles, expected.doubles).enumerated()
        where isCompared?(index / channels) ?? true {
            largest = max(largest, abs(a - b))
        }
        #expect(largest <= Self.relativeLimit * scale, "\(name)")
    }

    @Test(arguments: [("vowels-cnn", 3), ("peptide-bytenet", 4)])
    func `statistics outside of loops`(model: String, blocks: Int) throws {
        let file = try SafeTensors.read(Fixtures.reference("expected/population/\(model).safetensors"))
        let counts = try #require(file["batches.count"])
        for block in 1...blocks {
            let label = "block\(block).bn"
            let means = try #require(file["batches.\(label).mean"])
            let variances = try #require(file["batches.\(label).var"])
            var accumulator = PopulationAccumulator(label: label, parts: [.mean, .variance, .count])
            for batch in 0..<counts.count {
                try accumulator.add(
                    BatchStatistic(
                        mean: means.element(at: batch),
                        variance: variances.element(at: batch),
                        count: counts.element(at: batch)
                    )
                )
            }
            for (estimator, name) in [(Estimator.meanOfBatches, "population"), (.pooled, "pooled")] {
                let population = try accumulator.estimate(estimator, tail: .repeat)
                try check(population.mean, file["\(name).\(label).mean"], "\(name).\(label).mean")
                try check(population.variance, file["\(name).\(label).var"], "\(name).\(label).var")
                #expect(population.coverage == Tensor(scalar: Int64(counts.count)))
                #expect(population.positions == Tensor(scalar: counts.doubles.reduce(0, +)))
            }
        }
    }

    /// Valid words and sentences at each step of a batch of `nested-scan`.
    private static func counts(_ label: String, _ mask: Tensor) throws -> Tensor {
        let (rows, sentences, words) = (mask.shape[0], mask.shape[1], mask.shape[2])
        let valid = mask.doubles
        func isAlive(_ row: Int, _ sentence: Int, _ word: Int) -> Bool {
            valid[(row * sentences + sentence) * words + word] > 0
        }
        func count(_ sentence: Int, _ words: Range<Int>) -> Float {
            Float((0..<rows).count { row in words.contains { isAlive(row, sentence, $0) } })
        }
        switch label {
        case "input.bn": return Tensor(scalar: Float(valid.reduce(0, +)))
        case "head.bn": return Tensor(scalar: Float(rows))
        case "outer.bn":
            return try Tensor(
                (0..<sentences).map { count($0, 0..<words) },
                shape: Shape(checking: [sentences])
            )
        default:
            let counts = (0..<sentences).flatMap { sentence in
                (0..<words).map { count(sentence, $0..<($0 + 1)) }
            }
            return try Tensor(counts, shape: Shape(checking: [sentences, words]))
        }
    }

    @Test(arguments: [("input.bn", 0), ("outer.bn", 1), ("inner.bn", 2), ("head.bn", 0)])
    func `statistics of nested loops`(label: String, depth: Int) throws {
        let file = try SafeTensors.read(Fixtures.reference("expected/population/nested-scan.safetensors"))
        var accumulator = PopulationAccumulator(
            label: label,
            depth: depth,
            parts: [.mean, .variance, .count]
        )
        for batch in 0..<6 {
            let mean = try #require(file["batch\(batch).\(label).mean"])
            try accumulator.add(
                BatchStatistic(
                    mean: mean,
                    variance: file["batch\(batch).\(label).var"],
                    count: Self.counts(label, try #require(file["batch\(batch).mask"])),
                    extents: Array(mean.shape.dimensions.prefix(depth))
                )
            )
        }
        let repeated = try accumulator.estimate(.meanOfBatches, tail: .repeat)
        try check(repeated.mean, file["population.\(label).mean"], "population mean")
        try check(repeated.variance, file["population.\(label).var"], "population variance")
        if let coverage = file["population.\(label).coverage"] {
            #expect(repeated.coverage == coverage)
            let covered = coverage.doubles.map { $0 > 0 }
            let held = try accumulator.estimate(.meanOfBatches, tail: .hold)
            try check(held.mean, file["hold.\(label).mean"], "hold mean") { covered[$0] }
            try check(held.variance, file["hold.\(label).var"], "hold variance") { covered[$0] }
        }
        let pooled = try accumulator.estimate(.pooled, tail: .hold)
        let positions = try #require(file["pooled.\(label).count"])
        #expect(pooled.positions?.doubles == positions.doubles)
        let counted = positions.doubles.map { $0 > 0 }
        try check(pooled.mean, file["pooled.\(label).mean"], "pooled mean") { counted[$0] }
        try check(pooled.variance, file["pooled.\(label).var"], "pooled variance") { counted[$0] }
    }
}

extension ReferencePopulationTests {
    @Test func `coverage and positions of a recurrent network`() throws {
        let file = try SafeTensors.read(Fixtures.reference("expected/population/vowels-bnlstm.safetensors"))
        let counts = try #require(file["batches.count"])
        var accumulator = PopulationAccumulator(label: "lstm.bn_x", depth: 1, parts: [.mean, .count])
        for batch in 0..<counts.shape[0] {
            let alive = counts.element(at: batch).array(of: Int64.self).prefix { $0 > 0 }
            let shape = try Shape(checking: [alive.count, 1])
            try accumulator.add(
                BatchStatistic(
                    mean: Tensor(repeating: Float(batch), shape: shape),
                    count: Tensor(Array(alive), shape: shape),
                    extents: [alive.count]
                )
            )
        }
        let population = try accumulator.estimate(.pooled, tail: .hold)
        #expect(population.coverage == file["population.coverage"])
        #expect(population.positions?.doubles == file["pooled.count"]?.doubles)
    }

    @Test(arguments: ["lstm.bn_x", "lstm.bn_h", "lstm.bn_c"])
    func `the last step of the longest batch is one batch's alone`(label: String) throws {
        let file = try SafeTensors.read(Fixtures.reference("expected/population/vowels-bnlstm.safetensors"))
        var accumulator = PopulationAccumulator(label: label, depth: 1, parts: [.mean, .variance])
        for batch in 0..<2 {
            let mean = try #require(file["batch\(batch).\(label).mean"])
            try accumulator.add(
                BatchStatistic(
                    mean: mean,
                    variance: file["batch\(batch).\(label).var"],
                    extents: [mean.shape[0]]
                )
            )
        }
        let held = try accumulator.estimate(.meanOfBatches, tail: .hold)
        let longest = try #require(file["batch1.\(label).mean"])
        #expect(held.mean?.shape == longest.shape)
        #expect(held.mean?.element(at: 22) == longest.element(at: 22))
        #expect(held.coverage.array(of: Int64.self) == Array(repeating: 2, count: 21) + [1, 1])
    }
}
