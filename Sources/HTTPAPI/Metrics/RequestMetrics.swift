import Metrics
import NIOConcurrencyHelpers

/// Counts and times requests by route and status; the handles are made once each.
final class RequestMetrics: Sendable {
    private struct RouteHandles {
        let timer: Timer
        var counters: [UInt: Counter] = [:]
    }

    private struct Handles {
        var routes: [String: RouteHandles] = [:]
        var rejections: [UInt: Counter] = [:]
        var reasons: [String: Counter] = [:]
    }

    private let factory: any MetricsFactory
    /// Requests whose answer is being made by a task: `seqnorm_http_requests_in_flight`.
    let inFlight: Meter
    private let handles = NIOLockedValueBox(Handles())

    init(factory: any MetricsFactory) {
        self.factory = factory
        inFlight = Meter(label: "seqnorm_http_requests_in_flight", factory: factory)
        inFlight.set(0)
    }

    /// Notes one answer; `route` is a template, so there are never more series than routes times codes.
    func record(route: String, code: UInt, duration: Duration) {
        let (counter, timer) = handles.withLockedValue { handles in
            if let known = handles.routes[route], let counter = known.counters[code] {
                return (counter, known.timer)
            }
            let counter = Counter(
                label: "seqnorm_http_requests_total",
                dimensions: [("route", route), ("code", String(code))],
                factory: factory
            )
            let timer =
                handles.routes[route]?.timer
                ?? Timer(
                    label: "seqnorm_http_request_duration_seconds",
                    dimensions: [("route", route)],
                    factory: factory
                )
            handles.routes[route, default: RouteHandles(timer: timer)].counters[code] = counter
            return (counter, timer)
        }
        counter.increment()
        let (seconds, attoseconds) = duration.components
        timer.recordNanoseconds(seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000)
    }

    /// Notes one request that was turned down though nothing was wrong with it, or for its size.
    func recordRefusal(_ error: APIError) {
        guard error.code.isRefusal else { return }
        let code = error.code.rawValue
        let reason = error.overload.map { "\(code)_\($0.rawValue)" } ?? code
        handles.withLockedValue { handles in
            let counter =
                handles.reasons[reason]
                ?? Counter(
                    label: "seqnorm_rejected_total",
                    dimensions: [("reason", reason)],
                    factory: factory
                )
            handles.reasons[reason] = counter
            return counter
        }.increment()
    }

    /// Notes one request that the connection refused.
    func recordRejection(code: UInt) {
        handles.withLockedValue { handles in
            let counter =
                handles.rejections[code]
                ?? Counter(
                    label: "seqnorm_http_rejected_total",
                    dimensions: [("code", String(code))],
                    factory: factory
                )
            handles.rejections[code] = counter
            return counter
        }.increment()
    }
}

extension APIError.Code {
    /// Whether the server turned the request down for its load, its limits or the time.
    fileprivate var isRefusal: Bool {
        switch self {
        case .overloaded, .notReady, .deadlineExceeded, .payloadTooLarge, .headerTooLarge, .requestTimeout,
            .cancelled:
            true
        default: false
        }
    }
}
