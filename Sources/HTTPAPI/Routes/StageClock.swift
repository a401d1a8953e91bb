import HTTPServer
import NIOCore
import Serving

/// The stages of one request: notes their times, and tells them to a client that asks.
struct StageClock: Sendable {
    private let metrics: StageMetrics
    private let arrival: ContinuousClock.Instant
    private let decode: Duration
    private let wantsTiming: Bool
    private let span: RequestSpan?

    /// The clock of a request whose body has just been read.
    ///
    /// - Parameters:
    ///   - metrics: Where the times go.
    ///   - arrival: When the reading of the body began.
    ///   - wantsTiming: Whether the answer is to have `Server-Timing`.
    ///   - span: Of the request, if it is recorded.
    init(
        _ metrics: StageMetrics,
        since arrival: ContinuousClock.Instant,
        wantsTiming: Bool,
        span: RequestSpan?
    ) {
        self.metrics = metrics
        self.arrival = arrival
        self.span = span
        self.wantsTiming = wantsTiming
        decode = .now - arrival
        metrics.recordDecode(decode)
    }

    /// Writes an answer.
    ///
    /// - Parameters:
    ///   - course: How the request was run.
    ///   - write: Writes the body.
    /// - Returns: The answer, with `Server-Timing` if it is wanted.
    func answer(_ course: RunCourse, _ write: () throws -> ByteBuffer) rethrows -> HTTPResponse {
        let start = ContinuousClock.now
        var response = HTTPResponse.json(bytes: try write())
        let encode = ContinuousClock.now - start
        metrics.recordEncode(encode)
        span?.note(course, decode: (arrival, decode), encode: (start, encode))
        if wantsTiming {
            response.headers.add(name: "Server-Timing", value: Self.fields(decode, course, encode))
        }
        return response
    }

    /// Writes the member `seqnorm` of an answer: how the request was run, in positions and milliseconds.
    func write(_ course: RunCourse, to writer: inout JSONWriter) {
        writer.raw("\"seqnorm\":{\"rows\":")
        writer.integer(course.rows)
        writer.raw(",\"batch_rows\":")
        writer.integer(course.batchRows)
        writer.raw(",\"batches\":")
        writer.integer(course.batches)
        writer.raw(",\"milliseconds\":{\"decode\":")
        writer.float(Float(decode.milliseconds))
        writer.raw(",\"queue\":")
        writer.float(Float(course.queued.milliseconds))
        writer.raw(",\"compute\":")
        writer.float(Float(course.computed.milliseconds))
        writer.raw("}}")
    }

    /// The value of `Server-Timing`, in milliseconds.
    static func fields(_ decode: Duration, _ course: RunCourse, _ encode: Duration) -> String {
        [
            ("decode", decode), ("queue", course.queued), ("compute", course.computed), ("encode", encode),
        ].map { name, time in
            let microseconds = Int64(time.milliseconds * 1000)
            let fraction = String(1000 + microseconds % 1000).dropFirst()
            return "\(name);dur=\(microseconds / 1000).\(fraction)"
        }.joined(separator: ", ")
    }
}

extension Duration {
    /// The milliseconds, with a fraction.
    var milliseconds: Double { self / .milliseconds(1) }
}
