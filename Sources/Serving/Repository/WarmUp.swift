import Inference
import TensorCore

/// Tries a model on made-up sequences, so that plans are made and memory is touched before the first request.
struct WarmUp {
    let model: SequenceModel
    /// The way of batching to try.
    let batching: Batching
    /// Lengths to try, each at least 1.
    let lengths: [Int]
    /// Which lengths the model takes; nil for all.
    var limit: LengthLimit?
    /// Gets the time of a run of all lengths together.
    var runTimes = RunTimes()

    /// Runs the model's predictions and its normalized features.
    ///
    /// - Throws: ``ServingError/executionFailed(reason:)`` if predictions cannot be planned, or if no length at
    ///   all can be run. A model may refuse some lengths, such as those shorter than its kernels.
    func run() throws(ServingError) {
        try run(.outputs(model.predictOutputs), noting: runTimes)
        // A model without a normalization layer is no worse for it.
        try? run(.layer(nil))
    }

    private func run(_ request: OutputRequest, noting times: RunTimes? = nil) throws(ServingError) {
        let executor = try model.plannedExecutor(for: request, batching: batching).get()
        var failure: ExecutionError?
        var accepted: [Int] = []
        for length in probeLengths {
            guard let batch = probe([length]) else { continue }
            do throws(ExecutionError) {
                _ = try executor.run(batch)
                accepted.append(length)
            } catch {
                failure = error
            }
        }
        if let failure, accepted.isEmpty {
            throw .executionFailed(
                reason: "no sequence of a length in \(probeLengths) can be run: \(failure)"
            )
        }
        guard accepted.count > 1, let batch = probe(accepted) else { return }
        do throws(ExecutionError) {
            _ = try executor.run(batch)
            guard let times else { return }
            // The first run of a size touches memory for the first time; the second is like those to come.
            let start = ContinuousClock.now
            _ = try executor.run(batch)
            times.record(rows: batch.rowCount, nanoseconds: (.now - start) / .nanoseconds(1))
        } catch {
            throw .executionFailed(reason: "sequences of lengths \(accepted) in one batch: \(error)")
        }
    }

    /// Those asked for that the model takes, or else the shortest that it does.
    private var probeLengths: [Int] {
        let asked = lengths.filter { $0 > 0 }
        guard let limit, case .range(let range) = limit.lengths else { return asked }
        let taken = asked.filter(limit.allows)
        return taken.isEmpty && !asked.isEmpty ? [range.lowerBound] : taken
    }

    /// Sequences of the given lengths; nil if they would be too large.
    private func probe(_ lengths: [Int]) -> SequenceBatch? {
        ProbeSequences(signature: model.signature).batch(lengths: lengths)
    }
}
