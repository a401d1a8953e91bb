import HTTPServer
import Metrics
import Serving

/// All figures for Prometheus.
struct MetricsRoute {
    let registry: PrometheusRegistry
    let service: InferenceService
    let connectionCount: @Sendable () -> Int

    var routes: [Route] {
        let process = ProcessMetrics(factory: registry)
        let ready = Gauge(label: "seqnorm_ready", factory: registry)
        let connections = Gauge(label: "seqnorm_http_connections", factory: registry)
        let queueRows = Gauge(label: "seqnorm_queue_rows", factory: registry)
        return [
            Route(.GET, "/metrics", scope: .metrics) { [registry, service, connectionCount] _ in
                process.update()
                ready.record(service.readiness == .ready ? 1 : 0)
                connections.record(connectionCount())
                queueRows.record(service.queuedRows)
                return .now(.text(registry.text(), type: PrometheusText.contentType))
            }
        ]
    }
}
