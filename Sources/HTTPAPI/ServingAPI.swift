public import HTTPServer
public import Logging
import Metrics
import NIOCore
import NIOHTTP1
public import Serving
public import Telemetry

/// All routes over an inference service: what a ``Server`` asks for answers.
///
/// ```swift
/// let registry = PrometheusRegistry()
/// MetricsSystem.bootstrap(registry)
/// let api = ServingAPI(service: service, registry: registry, options: ServingAPI.Options(), logger: logger)
/// let server = Server(configuration: configuration, responder: api, logger: logger)
/// ```
public struct ServingAPI: Responder {
    /// What the routes have to know besides the service.
    public struct Options: Sendable {
        /// The version told by `/v2` and `/metrics`.
        public var version: String
        /// What one body may ask for.
        public var limits: DecodingLimits
        /// Whether every request is logged at level info.
        public var logsAccess: Bool
        /// How long the answer to a request that says nothing of it is of use; nil: for ever.
        public var requestTimeout: Duration?
        /// The number of connections open now, for `/metrics`.
        public var connectionCount: @Sendable () -> Int
        /// Who may do what; nil: everybody everything.
        public var access: AccessControl?
        /// What gets spans of requests; nil: none are made.
        public var spans: SpanExporter?
        /// How clients come here, `http` or `https`; for spans.
        public var scheme = "http"

        /// Options.
        ///
        /// - Parameters:
        ///   - version: The version of the program.
        ///   - limits: What one body may ask for.
        ///   - requestTimeout: None by default.
        ///   - logsAccess: False by default.
        ///   - connectionCount: How many connections are open.
        public init(
            version: String = "unknown",
            limits: DecodingLimits = DecodingLimits(),
            requestTimeout: Duration? = nil,
            logsAccess: Bool = false,
            connectionCount: @escaping @Sendable () -> Int = { 0 }
        ) {
            self.version = version
            self.limits = limits
            self.requestTimeout = requestTimeout
            self.logsAccess = logsAccess
            self.connectionCount = connectionCount
        }
    }

    /// What stands for the route of a path that has none.
    private static let noRoute = "none"

    /// Every route.
    public private(set) var router: Router
    private let access: AccessControl?
    private var tracer: RequestTracer?
    private let metrics: RequestMetrics
    private let logger: Logger
    private let logsAccess: Bool

    /// The routes of a service.
    ///
    /// - Parameters:
    ///   - service: What answers.
    ///   - registry: Where figures are kept, and what `/metrics` shows.
    ///   - options: Version and limits.
    ///   - logger: Gets clients' mistakes at debug level, overload at info, failures at error.
    public init(
        service: InferenceService,
        registry: PrometheusRegistry,
        options: Options = Options(),
        logger: Logger
    ) {
        let repository = service.repository
        let stages = StageMetrics(factory: registry)
        var routes = ProbeRoutes(service: service).routes
        routes += ModelRoutes(repository: repository).routes
        routes +=
            InstancesRoutes(
                service: service,
                stages: stages,
                limits: options.limits,
                timeout: options.requestTimeout
            ).routes
        routes +=
            TensorsRoutes(
                service: service,
                stages: stages,
                limits: options.limits,
                version: options.version,
                timeout: options.requestTimeout
            ).routes
        routes += PageRoutes(models: { ModelList(repository.status).models }).routes
        routes +=
            MetricsRoute(registry: registry, service: service, connectionCount: options.connectionCount)
            .routes
        router = Router(routes)
        access = options.access
        tracer = options.spans.map { RequestTracer(exporter: $0, scheme: options.scheme) }
        metrics = RequestMetrics(factory: registry)
        self.logger = logger
        logsAccess = options.logsAccess
        Gauge(label: "seqnorm_build_info", dimensions: [("version", options.version)], factory: registry)
            .record(1)
    }

    /// The same, with some of the routes only: those whose scope is named, and those that are open to all.
    ///
    /// - Parameters:
    ///   - scopes: What is answered.
    ///   - scheme: How clients come there; as here if not given.
    /// - Returns: Routes that share figures and keys with these.
    public func restricted(to scopes: Set<AccessScope>, scheme: String? = nil) -> ServingAPI {
        var copy = self
        if let scheme { copy.tracer?.scheme = scheme }
        copy.router = Router(router.routes.filter { $0.scope.map(scopes.contains) ?? true })
        return copy
    }

    /// Turns a request without leave down before its body is read.
    ///
    /// - Parameter request: The request without its body.
    /// - Returns: The answer; nil if the body may come.
    public func refusal(of request: HTTPRequest) -> HTTPResponse? {
        guard case .found(let route, _) = router.match(request.method, path: request.path) else { return nil }
        do {
            try permit(request, route)
            return nil
        } catch {
            let request = tracer?.traced(request, since: .now) ?? request
            let response = failure(error, request)
            metrics.record(route: route.template.description, code: response.status.code, duration: .zero)
            request.span?.end(response, route: route.template.description)
            return response
        }
    }

    private func permit(_ request: HTTPRequest, _ route: Route) throws(AccessDenied) {
        guard let access, let scope = route.scope else { return }
        try access.check(request.headers, for: scope)
    }

    /// Answers one request; every error becomes an answer by ``APIError``.
    ///
    /// - Parameter request: The whole request.
    /// - Returns: The answer, or what makes it.
    public func reply(to request: HTTPRequest) -> Reply {
        let start = ContinuousClock.now
        let request = tracer?.traced(request, since: start) ?? request
        let (route, reply) = answer(request)
        switch reply {
        case .now(let response): return .now(recorded(response, request, route, since: start))
        case .later(let work):
            metrics.inFlight.increment()
            return .later {
                defer { metrics.inFlight.decrement() }
                do {
                    return recorded(try await work(), request, route, since: start)
                } catch {
                    return recorded(failure(error, request), request, route, since: start)
                }
            }
        }
    }

    /// JSON Lines are answered while they come.
    ///
    /// - Parameter request: The request without its body.
    /// - Returns: Whether its body is JSON Lines, and its route takes them.
    public func wantsStream(_ request: HTTPRequest) -> Bool {
        guard request.method == .POST, MediaType.isJSONLines(request.headers) else { return false }
        return request.path.hasSuffix(":predict") || request.path.hasSuffix(":normalize")
    }

    private func recorded(
        _ response: HTTPResponse,
        _ request: HTTPRequest,
        _ route: String,
        since start: ContinuousClock.Instant
    ) -> HTTPResponse {
        let duration = ContinuousClock.now - start
        metrics.record(route: route, code: response.status.code, duration: duration)
        if logsAccess { logAccess(response, request, route, duration) }
        request.span?.end(response, route: route == Self.noRoute ? nil : route)
        return response
    }

    /// One line a request: what of it is the server's, and nothing of its body, query or header fields but the ids.
    private func logAccess(
        _ response: HTTPResponse,
        _ request: HTTPRequest,
        _ route: String,
        _ duration: Duration
    ) {
        var metadata: Logger.Metadata = [
            "method": "\(request.method.rawValue)", "path": "\(request.path)", "route": "\(route)",
            "status": "\(response.status.code)", "seconds": "\(duration / .seconds(1))",
            "request_bytes": "\(request.body.readableBytes)",
        ]
        if case .bytes(let body) = response.body { metadata["response_bytes"] = "\(body.readableBytes)" }
        metadata.merge(Self.ids(of: request)) { first, _ in first }
        logger.info("request", metadata: metadata)
    }

    /// What ties the lines about one request together, here and with those of its caller.
    private static func ids(of request: HTTPRequest) -> Logger.Metadata {
        let trace = TraceContext(of: request)
        var ids: Logger.Metadata = [
            "request_id": "\(request.id)", "trace_id": "\(trace.traceID)", "span_id": "\(trace.spanID)",
        ]
        if let parent = trace.parentID { ids["parent_id"] = "\(parent)" }
        return ids
    }

    private func answer(_ request: HTTPRequest) -> (route: String, Route.Outcome) {
        switch router.match(request.method, path: request.path) {
        case .found(let route, let parameters):
            var request = request
            request.parameters = parameters
            do {
                try permit(request, route)
                return (route.template.description, try route.handler(request))
            } catch {
                return (route.template.description, .now(failure(error, request)))
            }
        case .options(let allowed, let template):
            let list = allowed.map(\.rawValue).joined(separator: ", ")
            let response = HTTPResponse(status: .noContent, headers: ["Allow": list])
            return (template?.description ?? "*", .now(response))
        case .methodNotAllowed(let allowed, let template):
            let fault = RouteFault.methodNotAllowed(allowed: allowed)
            return (template.description, .now(failure(fault, request)))
        case .notFound: return (Self.noRoute, .now(failure(RouteFault.notFound, request)))
        case .malformed: return (Self.noRoute, .now(failure(RouteFault.malformedPath, request)))
        }
    }

    private func failure(_ error: any Error, _ request: HTTPRequest) -> HTTPResponse {
        let told = APIError(error)
        metrics.recordRefusal(told)
        let level = told.code.logLevel
        guard level >= logger.logLevel else { return HTTPResponse(told, requestID: request.id) }
        var metadata = Self.ids(of: request)
        metadata["status"] = "\(told.status.code)"
        metadata["code"] = "\(told.code.rawValue)"
        metadata["path"] = "\(request.path)"
        if told.code == .internal { metadata["cause"] = "\(error)" }
        logger.log(level: level, "\(told.message)", metadata: metadata)
        return HTTPResponse(told, requestID: request.id)
    }

    /// Puts into words that the server itself refused a request.
    ///
    /// - Parameters:
    ///   - rejection: The reason.
    ///   - requestID: The request's id.
    /// - Returns: The answer.
    public func reject(_ rejection: Rejection, requestID: String) -> HTTPResponse {
        let told = APIError(rejection)
        metrics.recordRejection(code: told.status.code)
        metrics.recordRefusal(told)
        logger.debug("\(told.message)", metadata: ["request_id": "\(requestID)"])
        return HTTPResponse(told, requestID: requestID)
    }
}

extension APIError.Code {
    /// Clients must not be able to fill the log: only what needs a person is an error.
    fileprivate var logLevel: Logger.Level {
        switch self {
        case .internal: .error
        case .overloaded, .notReady, .deadlineExceeded: .info
        case .invalidJSON, .invalidInput, .modelNotFound, .notFound, .methodNotAllowed, .notAcceptable,
            .malformedRequest, .requestTimeout, .payloadTooLarge, .unsupportedMediaType, .headerTooLarge,
            .cancelled, .unauthorized, .forbidden:
            .debug
        }
    }
}
