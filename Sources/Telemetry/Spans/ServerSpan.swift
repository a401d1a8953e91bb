/// One answered request as spans: one of the server, and one below it for each stage the request went through.
///
/// Holds nothing of a request but its verb, its path without the query, and sizes.
public struct ServerSpan: Hashable, Sendable {
    /// A part of the time of a request.
    public struct Stage: Hashable, Sendable {
        /// What was done.
        public enum Name: String, Hashable, Sendable {
            case decode, queue, compute, encode
        }

        /// What was done.
        public var name: Name
        /// From the start of the request to the start of the stage.
        public var start: Duration
        /// How long it took, at least 0.
        public var duration: Duration

        /// A stage.
        ///
        /// - Parameters:
        ///   - name: What was done.
        ///   - start: From the start of the request.
        ///   - duration: At least 0.
        public init(_ name: Name, start: Duration, duration: Duration) {
            self.name = name
            self.start = start
            self.duration = duration
        }
    }

    /// The trace it belongs to.
    public var trace: TraceID
    /// Its own name.
    public var id: SpanID
    /// The span of the caller; nil if the trace begins here.
    public var parent: SpanID?
    /// The verb, in capitals; others than the known ones are `_OTHER`.
    public var method: String
    /// The template of the route; nil if there is none for the path.
    public var route: String?
    /// The path, percent-encoded, without query.
    public var path: String
    /// `http` or `https`.
    public var scheme: String
    /// The status of the answer.
    public var status: Int
    /// Whether the client went away before the answer was whole.
    public var isBrokenOff: Bool
    /// Nanoseconds from 1970 to the start of the request.
    public var startNanoseconds: UInt64
    /// From there to the answer.
    public var duration: Duration
    /// In the order of their beginnings; none for requests that no model was asked for.
    public var stages: [Stage]
    /// How it was run; nil if no model was asked.
    public var run: Run?

    /// What a model had to do.
    public struct Run: Hashable, Sendable {
        /// Positions of the request.
        public var rows: Int
        /// Positions of the runs that had sequences of the request.
        public var batchRows: Int
        /// The number of these runs.
        public var batches: Int

        /// A run.
        ///
        /// - Parameters:
        ///   - rows: Positions of the request.
        ///   - batchRows: Positions of the runs.
        ///   - batches: The number of runs.
        public init(rows: Int = 0, batchRows: Int = 0, batches: Int = 0) {
            self.rows = rows
            self.batchRows = batchRows
            self.batches = batches
        }
    }

    /// A span whose figures are set one by one.
    ///
    /// - Parameters:
    ///   - trace: The trace it belongs to.
    ///   - id: Its own name.
    ///   - parent: The span of the caller.
    public init(trace: TraceID, id: SpanID, parent: SpanID?) {
        self.trace = trace
        self.id = id
        self.parent = parent
        method = "_OTHER"
        path = ""
        scheme = "http"
        status = 0
        isBrokenOff = false
        startNanoseconds = 0
        duration = .zero
        stages = []
    }
}
