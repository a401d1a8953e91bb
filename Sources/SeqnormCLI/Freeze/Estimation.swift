import Freezing
import Statistics

/// The loop over the batches.
struct Estimation {
    let data: any TrainingData
    /// How many batches are read at most.
    let limit: Int?
    let interruption: Interruption
    let isProgressShown: Bool

    /// How much memory was in use.
    struct Memory {
        /// Before the first batch, in bytes.
        let start: Int?
        /// After the last, in bytes.
        let end: Int?
    }

    /// How many batches will be read.
    var count: Int { min(data.batchCount, limit ?? .max) }

    /// Runs the training graph on every batch.
    ///
    /// - Parameter plan: What is estimated.
    /// - Returns: What the batches say.
    /// - Throws: ``FreezeError``, a ``CommandFault`` of the data, ``Interruption/Interrupted``.
    func run(_ plan: FreezePlan) throws -> (state: PartialStatistics, memory: Memory) {
        var estimator = try StatisticEstimator(plan)
        var bar = ProgressBar(totalBytes: nil, isShown: isProgressShown)
        defer { bar.clear() }
        let start = ResidentMemory.bytes
        for index in 0..<count {
            try interruption.check()
            try estimator.add(data.batch(index))
            bar.update(batches: index + 1, of: count)
        }
        return (estimator.state, Memory(start: start, end: ResidentMemory.bytes))
    }

    /// The batches a frozen graph is checked with: the first two.
    func checks() throws -> [TrainingBatch] { try (0..<min(count, 2)).map { try data.batch($0) } }
}
