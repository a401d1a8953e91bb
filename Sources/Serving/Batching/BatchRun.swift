import Inference
import TensorCore

/// The work of one batch: synchronous, for a compute thread.
struct BatchRun {
    typealias Part = BatchPart<BatchKey, PendingRequest>

    let budget: BatchBudget

    /// Gives every request the outputs of its part; one that fails together with others is tried again alone.
    ///
    /// - Parameter parts: At least one; all with the same key.
    func answer(_ parts: [Part]) {
        let start = ContinuousClock.now
        for part in parts where part.payload.start() {
            part.payload.metrics.queueSeconds.record(duration: start - part.payload.created)
        }
        switch run(parts) {
        case .success(let answers):
            for (part, outputs) in zip(parts, answers) { part.payload.take(outputs, of: part.range) }
        case .failure(let error):
            guard parts.count > 1 else { return parts[0].payload.answer(.failure(error)) }
            for part in parts where !part.payload.isAnswered { answer([part]) }
        }
    }

    /// The outputs of each of some parts that are run together; as many as parts.
    private func run(_ parts: [Part]) -> Result<[[SequenceOutput]], ServingError> {
        do throws(ServingError) {
            let first = parts[0].payload
            let executor = try first.executor().get()
            let batches = parts.map { $0.payload.sequences($0.range) }
            guard batches.count > 1 else {
                return .success([try runOnce(batches[0], on: executor, first.metrics)])
            }
            let outputs = try runOnce(try concatenated(batches), on: executor, first.metrics)
            return .success(try BatchOutputs.split(outputs, counts: batches.map(\.count)))
        } catch {
            return .failure(error)
        }
    }

    private func concatenated(_ batches: [SequenceBatch]) throws(ServingError) -> SequenceBatch {
        do throws(ShapeError) {
            return try SequenceBatch.concatenating(batches)
        } catch {
            throw .executionFailed(reason: "\(error)")
        }
    }

    /// Runs a batch, in pieces if it is over the budget.
    ///
    /// - Throws: ``ServingError/executionFailed(reason:)``.
    func run(
        _ batch: SequenceBatch,
        on executor: any SequenceExecutor,
        metrics: ModelMetrics
    ) throws(ServingError) -> [SequenceOutput] {
        guard !budget.admits(BatchLoad(batch)) else { return try runOnce(batch, on: executor, metrics) }
        var outputs: [[SequenceOutput]] = []
        for range in budget.pieces(of: batch.lengths) {
            outputs.append(try runOnce(batch.slice(range), on: executor, metrics))
        }
        return try BatchOutputs.join(outputs)
    }

    private func runOnce(
        _ batch: SequenceBatch,
        on executor: any SequenceExecutor,
        _ metrics: ModelMetrics
    ) throws(ServingError) -> [SequenceOutput] {
        let start = ContinuousClock.now
        let outputs: [SequenceOutput]
        do throws(ExecutionError) {
            outputs = try executor.run(batch)
        } catch {
            throw .executionFailed(reason: "\(error)")
        }
        metrics.recordBatch(batch, seconds: .now - start)
        try BatchOutputs.check(outputs, count: batch.count)
        return outputs
    }
}
