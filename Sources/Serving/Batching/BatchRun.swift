import Inference
import TensorCore

/// The work of one batch: synchronous, for a compute thread.
struct BatchRun {
    let budget: BatchBudget

    /// Answers every request; one that fails together with others is tried again alone.
    ///
    /// - Parameter requests: At least one; all with the same key.
    func answer(_ requests: [PendingRequest]) {
        let start = ContinuousClock.now
        for request in requests { request.metrics.queueSeconds.record(duration: start - request.created) }
        guard requests.count > 1 else {
            for request in requests { request.answer(run([request]).map { $0[0] }) }
            return
        }
        switch run(requests) {
        case .success(let answers):
            for (request, answer) in zip(requests, answers) { request.answer(.success(answer)) }
        case .failure:
            for request in requests where !request.isAnswered {
                request.answer(run([request]).map { $0[0] })
            }
        }
    }

    /// The outputs of each of some requests that are run together; as many as requests.
    private func run(_ requests: [PendingRequest]) -> Result<[[SequenceOutput]], ServingError> {
        do throws(ServingError) {
            let executor = try requests[0].executor().get()
            guard requests.count > 1 else {
                return .success([try run(requests[0].batch, on: executor, metrics: requests[0].metrics)])
            }
            let batch = try concatenated(requests.map(\.batch))
            let outputs = try run(batch, on: executor, metrics: requests[0].metrics)
            return .success(try BatchOutputs.split(outputs, counts: requests.map(\.batch.count)))
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
