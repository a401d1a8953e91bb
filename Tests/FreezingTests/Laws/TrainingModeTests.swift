import Freezing
import Inference
import ONNXGraph
import Statistics
import TensorCore
import TestSupport
import Testing

struct TrainingModeTests {
    /// A BatchNormalization in training mode over x, whose running statistics are outputs too.
    private func model(_ dimensions: [Dimension]) throws -> Model {
        let ones = Tensor(repeating: Float(1), shape: [2])
        let noughts = Tensor(repeating: Float(0), shape: [2])
        let node = Node(
            "BatchNormalization",
            name: "bn",
            inputs: ["x", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"],
            outputs: ["y", "running_mean", "running_var"],
            attributes: [Attribute("training_mode", .int(1))]
        )
        return try Samples.model(
            [node],
            inputs: [("x", dimensions)],
            outputs: ["y", "running_mean"],
            constants: [
                Initializer("bn.weight", ones), Initializer("bn.bias", noughts),
                Initializer("bn.running_mean", noughts), Initializer("bn.running_var", ones),
            ]
        )
    }

    private let sequences: [Dimension] = [.symbol("batch"), .fixed(2), .symbol("time")]

    private func batch(_ numbers: [Float], _ dimensions: [Int], lengths: [Int]?) throws -> TrainingBatch {
        let x = try Tensor(numbers, shape: Shape(checking: dimensions))
        return TrainingBatch(inputs: ["x": x], lengths: lengths, origin: "batch")
    }

    @Test func `padding is not read, not even NaN`() throws {
        let numbers: [Float] = [1, .nan, 10, .nan, 3, 5, 30, 50]
        let given = try batch(numbers, [2, 2, 2], lengths: [1, 2])
        let plan = try FreezePlan(try model(sequences))
        var estimator = try StatisticEstimator(plan)
        try estimator.add(given)
        let population = try estimator.state.accumulators[0].estimate(.pooled, tail: .repeat)
        #expect(try #require(population.mean).doubles == [3, 30])
        #expect(population.positions?.doubles == [3])
        #expect(estimator.state.positions == 3)
    }

    @Test func `one position a sequence is one for every sequence that has any`() throws {
        let given = try batch([1, 10, 9, 90, 3, 30], [3, 2], lengths: [4, 0, 2])
        let plan = try FreezePlan(try model(Samples.matrix))
        var estimator = try StatisticEstimator(plan)
        try estimator.add(given)
        let population = try estimator.state.accumulators[0].estimate(.pooled, tail: .repeat)
        #expect(try #require(population.mean).doubles == [2, 20])
    }

    @Test func `running statistics that are outputs become the population's`() throws {
        let given = try batch([1, 2, 10, 20, 3, 4, 30, 40], [2, 2, 2], lengths: [2, 2])
        let frozen = try Samples.freeze(try model(sequences), [given])
        let outputs = try ExecutionPlan(frozen.model).run(given.inputs)
        #expect(outputs[1] == frozen.statistics[0].mean)
        #expect(frozen.proofs[0].isHeld)
    }

    @Test func `positions that are not known, or not those of the mask, are named`() throws {
        let numbers: [Float] = [1, 2, 10, 20, 3, 4, 30, 40]
        let plan = try FreezePlan(try model(sequences))
        var estimator = try StatisticEstimator(plan)
        #expect(throws: FreezeError.missingLengths(origin: "batch")) {
            try estimator.add(batch(numbers, [2, 2, 2], lengths: nil))
        }
        #expect(
            throws: FreezeError.positionsDiffer(label: "bn", mask: [2, 1, 5], positions: -1, origin: "batch")
        ) {
            try estimator.add(batch(numbers, [2, 2, 2], lengths: [5, 1]))
        }
        let all = try FreezePlan(try model(sequences), options: FreezeOptions(padding: .include))
        var plain = try StatisticEstimator(all)
        try plain.add(batch(numbers, [2, 2, 2], lengths: nil))
        #expect(plain.state.batches == 1)
    }
}
