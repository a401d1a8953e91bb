import Freezing
import Inference
import ONNXGraph
import Statistics
import TensorCore
import TestSupport
import Testing

/// A BatchNormalization in training mode in loops of a graph without a mask, over valid positions only.
struct ExcludedPaddingTests {
    private let near = Tolerance.close(absolute: 1e-4, relative: 1e-4, because: "float32 against Double")

    private func population(
        _ model: Model,
        _ batches: [TrainingBatch],
        signature: Signature? = LoopSamples.signature,
        padding: Padding = .exclude,
        estimator: Estimator = .pooled
    ) throws -> [PopulationStatistics] {
        let plan = try FreezePlan(model, signature: signature, options: FreezeOptions(padding: padding))
        var run = try StatisticEstimator(plan)
        for batch in batches { try run.add(batch) }
        return try run.state.accumulators.map { try $0.estimate(estimator, tail: .repeat) }
    }

    private func check(_ statistics: PopulationStatistics, _ expected: [[PlainMoments]]) throws {
        let flat = expected.flatMap(\.self)
        let (means, variances) = (try #require(statistics.mean), try #require(statistics.variance))
        #expect(means.shape.dimensions == [expected.count, 2])
        #expect(statistics.positions?.doubles == expected.map { Double($0[0].numbers.count) })
        for (index, moments) in flat.enumerated() {
            #expect(near.allows(means.doubles[index], moments.mean))
            #expect(near.allows(variances.doubles[index], moments.variance))
        }
    }

    @Test(arguments: [false, true], [false, true])
    func `only sequences that have a position count at its step`(isBackward: Bool, isLoop: Bool) throws {
        let batches = try [
            LoopSamples.batch([4, 1, 3, 2, 4], seed: 1), LoopSamples.batch([1, 3, 2, 0], seed: 2),
            LoopSamples.batch([5, 2, 5], seed: 3),
        ]
        let model =
            isLoop
            ? try LoopSamples.looped(isBackward: isBackward) : try LoopSamples.scanned(isBackward: isBackward)
        let oracles = try batches.map { try StepOracle($0, isBackward: isBackward) }
        var expected = StepOracle.pooled(oracles)
        if isLoop && isBackward {
            // A Loop has its statistics by step, which is the position counted from the end of each batch.
            expected = (0..<5).map { step in
                (0..<2).map { channel in
                    let counted = oracles.flatMap { oracle -> [Double] in
                        let position = oracle.moments.count - 1 - step
                        return position >= 0 ? oracle.moments[position][channel].numbers : []
                    }
                    return PlainMoments(numbers: counted)
                }
            }
        }
        for signature in [LoopSamples.signature, nil] {
            try check(try population(model, batches, signature: signature)[0], expected)
        }
    }

    @Test func `padding is not read in a loop, not even NaN`() throws {
        let clean = try LoopSamples.batch([4, 1, 3], seed: 1)
        let spoilt = try LoopSamples.batch([4, 1, 3], seed: 1, hasNaN: true)
        let model = try LoopSamples.scanned()
        #expect(try population(model, [clean]) == population(model, [spoilt]))
    }

    @Test(arguments: [false, true])
    func `sequences of one length have the statistics of all positions`(isBackward: Bool) throws {
        let batches = try [LoopSamples.batch([3, 3, 3], seed: 1), LoopSamples.batch([4, 4], seed: 2)]
        let model = try LoopSamples.scanned(isBackward: isBackward)
        let excluded = try population(model, batches)[0]
        let included = try population(model, batches, padding: .include)[0]
        #expect(excluded.positions == included.positions)
        let (a, b) = (try #require(excluded.mean), try #require(included.mean))
        #expect(near.firstDifference(a, b) == nil)
        let (c, d) = (try #require(excluded.variance), try #require(included.variance))
        #expect(near.firstDifference(c, d) == nil)
    }

    @Test func `a batch says nothing of a step that none of its sequences reach`() throws {
        let batches = try [
            LoopSamples.batch([2, 1], padded: 4, seed: 1), LoopSamples.batch([3, 1, 3], seed: 2),
        ]
        let oracles = try batches.map { try StepOracle($0) }
        let model = try LoopSamples.scanned()
        let pooled = try population(model, batches)[0]
        #expect(pooled.coverage.doubles == [2, 2, 1])
        try check(pooled, Array(StepOracle.pooled(oracles).prefix(3)))
        // Beyond its last step that was reached a batch goes on saying what it said there.
        let averaged = try population(model, batches, estimator: .meanOfBatches)[0]
        let mean = try #require(averaged.mean)
        for channel in 0..<2 {
            let expected = (oracles[0].moments[1][channel].mean + oracles[1].moments[2][channel].mean) / 2
            #expect(near.allows(mean.element(at: 2).doubles[channel], expected))
        }
    }

    @Test func `the frozen graph gives the training output with a batch's own statistics`() throws {
        let batches = try [
            LoopSamples.batch([4, 1, 3, 2], padded: 5, seed: 1), LoopSamples.batch([3, 2], seed: 2),
        ]
        for model in [
            try LoopSamples.scanned(), try LoopSamples.scanned(isBackward: true), try LoopSamples.looped(),
        ] {
            let plan = try FreezePlan(model, signature: LoopSamples.signature)
            var estimator = try StatisticEstimator(plan)
            for batch in batches { try estimator.add(batch) }
            let source = Provenance.Source(toolVersion: "test")
            let frozen = try plan.freeze(estimator.state, checking: batches, source: source)
            #expect(frozen.proofs.prefix(3).allSatisfy { $0.isHeld })
            // What was added for the estimation is not in the file.
            let scans = frozen.model.graph.nodes.filter { ["Scan", "Loop"].contains($0.operatorType) }
            #expect(scans.allSatisfy { !$0.inputs.contains { $0.contains("sequence_mask") } })
        }
    }

    @Test func `a Scan of one direction for each of two states has the statistics of two Scans`() throws {
        let batches = try [LoopSamples.batch([4, 1, 3, 2], seed: 1), LoopSamples.batch([3, 2, 1], seed: 2)]
        let body = LoopSamples.body(
            LoopSamples.step("f_", of: "there") + LoopSamples.step("b_", of: "back"),
            from: ["f_h", "b_h", "there", "back"],
            to: ["f_next", "b_next"]
        )
        let both = LoopSamples.scan(
            ["zeros", "zeros", "x", "x"],
            ["f_last", "b_last"],
            body,
            axes: [1, 1],
            directions: [0, 1]
        )
        let model = try LoopSamples.model(
            [both],
            layout: LoopSamples.signature,
            outputs: ["f_last", "b_last"]
        )
        let found = try population(model, batches)
        let forward = try population(try LoopSamples.scanned(), batches)[0]
        #expect(found[0].mean == forward.mean)
        #expect(found[0].variance == forward.variance)
        // Of the Scan of both directions statistics are by step.
        let last = try StepOracle(batches[0], isBackward: true).moments[3]
        let other = try StepOracle(batches[1], isBackward: true).moments[2]
        let mean = try #require(found[1].mean).element(at: 0)
        for channel in 0..<2 {
            let together = PlainMoments(numbers: last[channel].numbers + other[channel].numbers)
            #expect(near.allows(mean.doubles[channel], together.mean))
        }
    }
}
