import Inference
import TensorCore

/// Runs short work where it is asked for.
///
/// Handing a run of some microseconds to another thread and its answer back costs more than the run. What is
/// short is learnt from the runs of the model, so the first run of a size is always a compute thread's.
struct InlineRun {
    private let maxNanoseconds: Double
    private let batching: Batching
    private let run: BatchRun

    init(_ options: BatchOptions) {
        maxNanoseconds = options.maxInlineRun / .nanoseconds(1)
        batching = options.batching
        run = BatchRun(budget: options.budget)
    }

    /// What runs a batch right here; nil if the run may be long, or has yet to be planned.
    func executor(
        for request: OutputRequest,
        of model: ServedModel,
        _ batch: SequenceBatch
    ) -> (any SequenceExecutor)? {
        guard maxNanoseconds > 0, let expected = model.metrics.runTimes.expected(rows: batch.rowCount),
            expected <= maxNanoseconds
        else { return nil }
        return model.sequenceModel.knownExecutor(for: request, batching: batching)
    }

    /// Runs a batch.
    ///
    /// - Throws: ``ServingError/executionFailed(reason:)``.
    func run(
        _ batch: SequenceBatch,
        on executor: any SequenceExecutor,
        _ metrics: ModelMetrics
    ) throws(ServingError) -> InferenceAnswer {
        metrics.queueSeconds.recordNanoseconds(0)
        return try run.run(batch, on: executor, metrics: metrics)
    }
}
