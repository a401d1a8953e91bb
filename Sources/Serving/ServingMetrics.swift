import Metrics
import TensorCore

/// What is measured of one model version; the handles are made once, when the model is loaded.
///
/// All names begin with `seqnorm_` and have the dimensions `model` and `version`.
final class ModelMetrics: Sendable {
    /// Runs of the model: `seqnorm_batches_total`.
    let batches: Counter
    /// Sequences run: `seqnorm_inference_sequences_total`.
    let sequences: Counter
    /// Rows of each run: `seqnorm_batch_rows`.
    let batchRows: Recorder
    /// Sequences of each run: `seqnorm_batch_sequences`.
    let batchSequences: Recorder
    /// Requests of each run on a compute thread: `seqnorm_batch_requests`.
    let batchRequests: Recorder
    /// Positions that padding to the longest sequence would have added to the runs: `seqnorm_padding_rows_avoided_total`.
    let paddingAvoided: Counter
    /// Time of each request from arrival to the start of its batch: `seqnorm_queue_seconds`.
    let queueSeconds: Timer
    /// Time of each run: `seqnorm_compute_seconds`.
    let computeSeconds: Timer
    /// Time to read, plan and warm up the model: `seqnorm_model_load_seconds`.
    let loadSeconds: Timer
    /// How long runs take, for choosing where the next one goes.
    let runTimes: RunTimes

    init(model: String, version: Int, runTimes: RunTimes = RunTimes(), factory: any MetricsFactory) {
        self.runTimes = runTimes
        let of = [("model", model), ("version", String(version))]
        batches = Counter(label: "seqnorm_batches_total", dimensions: of, factory: factory)
        sequences = Counter(label: "seqnorm_inference_sequences_total", dimensions: of, factory: factory)
        batchRows = Recorder(label: "seqnorm_batch_rows", dimensions: of, aggregate: true, factory: factory)
        batchSequences = Recorder(
            label: "seqnorm_batch_sequences",
            dimensions: of,
            aggregate: true,
            factory: factory
        )
        batchRequests = Recorder(
            label: "seqnorm_batch_requests",
            dimensions: of,
            aggregate: true,
            factory: factory
        )
        paddingAvoided = Counter(
            label: "seqnorm_padding_rows_avoided_total",
            dimensions: of,
            factory: factory
        )
        queueSeconds = Timer(label: "seqnorm_queue_seconds", dimensions: of, factory: factory)
        computeSeconds = Timer(label: "seqnorm_compute_seconds", dimensions: of, factory: factory)
        loadSeconds = Timer(label: "seqnorm_model_load_seconds", dimensions: of, factory: factory)
    }

    /// Notes one run of the model.
    func recordBatch(_ batch: SequenceBatch, seconds: Duration, isPadded: Bool = false) {
        runTimes.record(rows: batch.rowCount, nanoseconds: seconds / .nanoseconds(1))
        batches.increment()
        sequences.increment(by: batch.count)
        batchRows.record(batch.rowCount)
        batchSequences.record(batch.count)
        computeSeconds.record(duration: seconds)
        if batch.count > 1, !isPadded {
            let padding = batch.count * (batch.lengths.max() ?? 0) - batch.rowCount
            if padding > 0 { paddingAvoided.increment(by: padding) }
        }
    }
}

extension Gauge {

    /// The requests that wait for a compute thread: `seqnorm_queue_depth`.
    static func queueDepth(factory: any MetricsFactory) -> Gauge {
        Gauge(label: "seqnorm_queue_depth", factory: factory)
    }
}
