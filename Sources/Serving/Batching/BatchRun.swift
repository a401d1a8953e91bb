import Inference
import TensorCore

/// The work of one batch: synchronous, for a compute thread.
struct BatchRun {
    typealias Part = BatchPart<BatchKey, PendingRequest>

    /// What one run of the model took.
    struct Note {
        var seconds: Duration
        var rows: Int
    }

    let budget: BatchBudget

    /// Gives every request the outputs of its part.
    ///
    /// A part that fails together with others is tried again alone; one of a request that wants it, sequence by
    /// sequence.
    ///
    /// - Parameter parts: At least one; all with the same key.
    func answer(_ parts: [Part]) {
        let start = ContinuousClock.now
        for part in parts { part.payload.start(at: start) }
        parts.first?.payload.metrics.batchRequests.record(parts.count)
        attempt(parts)
    }

    private func attempt(_ parts: [Part]) {
        do throws(ServingError) {
            let (answers, note) = try run(parts)
            for (part, outputs) in zip(parts, answers) { part.payload.take(outputs, of: part.range, note) }
        } catch {
            guard parts.count == 1, let part = parts.first else {
                for part in parts where !part.payload.isAnswered { attempt([part]) }
                return
            }
            let request = part.payload
            if !request.handling.isolatesFaults {
                request.answer(.failure(error))
            } else if part.range.count == 1 {
                request.take(error, of: part.range.lowerBound)
            } else {
                for index in part.range where !request.isAnswered {
                    attempt([Part(ticket: part.ticket, payload: request, range: index..<index + 1)])
                }
            }
        }
    }

    /// The outputs of each of some parts that are run together; as many as parts.
    private func run(_ parts: [Part]) throws(ServingError) -> ([[SequenceOutput]], Note) {
        let first = parts[0].payload
        let executor = try first.executor().get()
        let batches = parts.map { $0.payload.sequences($0.range) }
        guard batches.count > 1 else {
            let (outputs, note) = try runOnce(batches[0], on: executor, first.metrics)
            return ([outputs], note)
        }
        let (outputs, note) = try runOnce(try concatenated(batches), on: executor, first.metrics)
        return (try BatchOutputs.split(outputs, counts: batches.map(\.count)), note)
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
    ) throws(ServingError) -> InferenceAnswer {
        var course = RunCourse(rows: batch.rowCount)
        guard !budget.admits(BatchLoad(batch)) else {
            let (outputs, note) = try runOnce(batch, on: executor, metrics)
            course.add(note)
            return InferenceAnswer(outputs: outputs, course: course)
        }
        var outputs: [[SequenceOutput]] = []
        for range in budget.pieces(of: batch.lengths) {
            let (piece, note) = try runOnce(batch.slice(range), on: executor, metrics)
            outputs.append(piece)
            course.add(note)
        }
        return InferenceAnswer(outputs: try BatchOutputs.join(outputs), course: course)
    }

    private func runOnce(
        _ batch: SequenceBatch,
        on executor: any SequenceExecutor,
        _ metrics: ModelMetrics
    ) throws(ServingError) -> ([SequenceOutput], Note) {
        let start = ContinuousClock.now
        let outputs: [SequenceOutput]
        do throws(ExecutionError) {
            outputs = try executor.run(batch)
        } catch {
            throw .executionFailed(reason: "\(error)")
        }
        let note = Note(seconds: .now - start, rows: batch.rowCount)
        metrics.recordBatch(batch, seconds: note.seconds, isPadded: budget.padsToLongest)
        try BatchOutputs.check(outputs, count: batch.count)
        return (outputs, note)
    }
}
