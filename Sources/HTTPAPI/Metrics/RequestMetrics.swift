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
    }

    private let factory: any MetricsFactory
    private let handles = NIOLockedValueBox(Handles())

    init(factory: any MetricsFactory) {
        self.factory = factory
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
