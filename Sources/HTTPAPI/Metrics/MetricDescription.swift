/// What a figure means, and the buckets of a histogram.
public struct MetricDescription: Sendable, Hashable {
    /// The name of the family.
    public let name: String
    /// One sentence.
    public let help: String
    /// Upper bounds of a histogram's buckets but the last, which has none; nil: those of its kind.
    public let buckets: [Double]?

    /// A description.
    ///
    /// - Parameters:
    ///   - name: The name of the family.
    ///   - help: One sentence.
    ///   - buckets: Upper bounds, if it is a histogram of its own kind.
    public init(_ name: String, _ help: String, buckets: [Double]? = nil) {
        self.name = name
        self.help = help
        self.buckets = buckets
    }

    /// Bounds for times from 100 microseconds to 30 seconds.
    static let seconds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]

    /// Bounds for counts: powers of two up to 65536.
    static let counts = (0...16).map { Double(1 << $0) }

    /// The figures of this server.
    public static let server: [MetricDescription] = [
        MetricDescription("seqnorm_http_requests_total", "HTTP requests answered, by route and status code."),
        MetricDescription(
            "seqnorm_http_request_duration_seconds",
            "Time from the whole request to its answer, by route."
        ),
        MetricDescription(
            "seqnorm_http_rejected_total",
            "Requests refused before any route, by status code."
        ),
        MetricDescription(
            "seqnorm_rejected_total",
            "Requests turned down for load, limits or time, by reason."
        ),
        MetricDescription(
            "seqnorm_http_requests_in_flight",
            "Requests whose answer is being made by a task; short ones never are."
        ),
        MetricDescription("seqnorm_decode_seconds", "Time to read the body of a request."),
        MetricDescription("seqnorm_encode_seconds", "Time to write the body of an answer."),
        MetricDescription("seqnorm_batch_requests", "Requests of one run on a compute thread."),
        MetricDescription(
            "seqnorm_padding_rows_avoided_total",
            "Positions that padding to the longest sequence would have added to the runs."
        ),
        MetricDescription("seqnorm_queue_rows", "Positions that wait for a compute thread."),
        MetricDescription("seqnorm_model_info", "1, labelled with the SHA-256 of the model's file."),
        MetricDescription("seqnorm_model_file_bytes", "Size of the model's file."),
        MetricDescription("seqnorm_batches_total", "Runs of a model."),
        MetricDescription("seqnorm_inference_sequences_total", "Sequences run through a model."),
        MetricDescription("seqnorm_batch_rows", "Positions of all sequences of one run."),
        MetricDescription("seqnorm_batch_sequences", "Sequences of one run."),
        MetricDescription(
            "seqnorm_queue_seconds",
            "Time of a request from its arrival to the start of its run."
        ),
        MetricDescription("seqnorm_compute_seconds", "Time of one run of a model."),
        MetricDescription("seqnorm_model_load_seconds", "Time to read, plan and warm up a model."),
        MetricDescription("seqnorm_queue_depth", "Requests that wait for a compute thread."),
        MetricDescription("seqnorm_http_connections", "Connections open now."),
        MetricDescription(
            "seqnorm_ready",
            "1 if every model answers and the server is not stopping, else 0."
        ),
        MetricDescription("seqnorm_spans_exported_total", "Spans of requests that the collector took."),
        MetricDescription(
            "seqnorm_spans_dropped_total",
            "Spans of requests that were not sent, by reason."
        ),
        MetricDescription("seqnorm_build_info", "1, labelled with the version."),
        MetricDescription("process_resident_memory_bytes", "Resident memory of the process."),
        MetricDescription("process_start_time_seconds", "When the process began, in seconds since 1970."),
        MetricDescription("process_cpu_seconds_total", "User and system time of the process."),
        MetricDescription("process_open_fds", "Open file descriptors of the process."),
    ]
}
