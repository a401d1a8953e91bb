import HTTPServer
import NIOConcurrencyHelpers
import Serving
import Telemetry

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The span of one request that is recorded, while the request is answered.
///
/// It is handed over once: when the answer is there, or the last part of a streamed one has been asked for. An answer
/// that is never asked for to its end was broken off, which shows when the last that knows the span forgets it.
final class RequestSpan: Sendable {
    /// Which trace it belongs to.
    let context: TraceContext
    private let exporter: SpanExporter
    private let start: ContinuousClock.Instant
    private let state: NIOLockedValueBox<State>

    private struct State {
        var span: ServerSpan
        var isHandedOver = false
    }

    /// The span of a request that has just come whole.
    ///
    /// - Parameters:
    ///   - request: Verb and path are taken, nothing else.
    ///   - context: Which trace it belongs to.
    ///   - start: When it came.
    ///   - scheme: `http` or `https`.
    ///   - exporter: Gets the span when it has ended.
    init(
        of request: HTTPRequest,
        _ context: TraceContext,
        since start: ContinuousClock.Instant,
        scheme: String,
        exporter: SpanExporter
    ) {
        self.context = context
        self.exporter = exporter
        self.start = start
        var span = ServerSpan(trace: context.traceID, id: context.spanID, parent: context.parentID)
        let method = request.method.rawValue
        span.method = Self.known.contains(method) ? method : "_OTHER"
        span.path = request.path
        span.scheme = scheme
        span.startNanoseconds = Self.nanosecondsNow
        state = NIOLockedValueBox(State(span: span))
    }

    deinit { handOver(isBrokenOff: true) }

    /// Verbs that are shown as they are.
    private static let known: Set<String> = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ]

    /// Notes how a model was run, and the stages of a request that has one run only.
    func note(
        _ course: RunCourse,
        decode: (start: ContinuousClock.Instant, duration: Duration),
        encode: (start: ContinuousClock.Instant, duration: Duration)
    ) {
        note(course)
        let decoded = decode.start - start + decode.duration
        let ran = decoded + course.queued
        let encoded = encode.start - start
        // Several runs may have been at the same time, or others between them.
        let computed = course.batches > 1 ? encoded - ran : min(course.computed, encoded - ran)
        let stages: [ServerSpan.Stage] = [
            .init(.decode, start: decode.start - start, duration: decode.duration),
            .init(.queue, start: decoded, duration: course.queued),
            .init(.compute, start: ran, duration: max(.zero, computed)),
            .init(.encode, start: encoded, duration: encode.duration),
        ]
        state.withLockedValue { $0.span.stages = stages }
    }

    /// Adds one run to those of a request that is answered part by part.
    func note(_ course: RunCourse) {
        state.withLockedValue { state in
            var run = state.span.run ?? ServerSpan.Run()
            run.rows += course.rows
            run.batchRows += course.batchRows
            run.batches += course.batches
            state.span.run = run
        }
    }

    /// The answer is there, or the head of a streamed one.
    ///
    /// - Parameters:
    ///   - response: The answer.
    ///   - route: The template; nil if no route has the path.
    func end(_ response: HTTPResponse, route: String?) {
        state.withLockedValue { state in
            state.span.status = Int(response.status.code)
            state.span.route = route
        }
        if case .bytes = response.body { handOver() }
    }

    /// The last part of a streamed answer has been asked for.
    func endStream() { handOver() }

    private func handOver(isBrokenOff: Bool = false) {
        let duration = ContinuousClock.now - start
        let span: ServerSpan? = state.withLockedValue { state in
            guard !state.isHandedOver else { return nil }
            state.isHandedOver = true
            state.span.duration = duration
            state.span.isBrokenOff = isBrokenOff
            return state.span
        }
        if let span { exporter.offer(span) }
    }

    private static var nanosecondsNow: UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return UInt64(max(0, now.tv_sec)) &* 1_000_000_000 &+ UInt64(max(0, now.tv_nsec))
    }
}

extension HTTPRequest {
    /// The span of the request, if it is recorded.
    var span: RequestSpan? { attachment as? RequestSpan }
}
