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
    private func run(
        _ batch: SequenceBatch,
        on executor: any SequenceExecutor,
        metrics: ModelMetrics
    ) throws(ServingError) -> [SequenceOutput] {
        let pieces = budget.pieces(of: batch.lengths)
        var outputs: [[SequenceOutput]] = []
        outputs.reserveCapacity(pieces.count)
        for range in pieces {
            let piece = pieces.count == 1 ? batch : batch.slice(range)
            let start = ContinuousClock.now
            do throws(ExecutionError) {
                outputs.append(try executor.run(piece))
            } catch {
                throw .executionFailed(reason: "\(error)")
            }
            metrics.recordBatch(piece, seconds: .now - start)
        }
        return try BatchOutputs.join(outputs)
    }
}
