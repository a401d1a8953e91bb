import HTTPServer
import Serving

/// Whether the process lives and whether it should get requests; no probe waits for a model.
struct ProbeRoutes {
    let service: InferenceService

    private struct Live: Encodable {
        let live = true
    }

    private struct Ready: Encodable {
        let ready = true
    }

    var routes: [Route] {
        let isLive = HTTPResponse.json(Live())
        let isReady = HTTPResponse.json(Ready())
        let live: Route.Handler = { _ in .now(isLive) }
        let ready: Route.Handler = { [service] _ in
            if case .notReady(let reason) = service.readiness { throw ServingError.notReady(reason: reason) }
            return .now(isReady)
        }
        return [
            Route(.GET, "/livez", scope: nil, handler: live),
            Route(.GET, "/v2/health/live", scope: nil, handler: live),
            Route(.GET, "/readyz", scope: nil, handler: ready),
            Route(.GET, "/healthz", scope: nil, handler: ready),
            Route(.GET, "/v2/health/ready", scope: nil, handler: ready),
        ]
    }
}
