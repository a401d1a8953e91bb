import HTTPServer
import Telemetry

/// Decides which requests are recorded as spans.
///
/// One whose caller names its trace is recorded if the caller records it; of the others, a share.
struct RequestTracer: Sendable {
    let exporter: SpanExporter
    /// `http` or `https`.
    var scheme: String

    /// The request with its span, if it is recorded.
    func traced(_ request: HTTPRequest, since start: ContinuousClock.Instant) -> HTTPRequest {
        // Clients may name several requests alike; the names of spans must differ all the same.
        let context = TraceContext(of: request, salt: .random(in: .min ... .max))
        let isRecorded = context.parentID == nil ? exporter.samples(context.traceID) : context.isSampled
        guard isRecorded else { return request }
        var request = request
        request.attachment = RequestSpan(
            of: request,
            context,
            since: start,
            scheme: scheme,
            exporter: exporter
        )
        return request
    }
}
