import NIOHTTP1

/// Which pages of other sites may call this server from a browser (the Fetch standard, section 3.3).
public struct CORSPolicy: Sendable, Equatable {
    /// The fields a page may send besides the few that need no leave.
    static let allowedHeaders =
        "Authorization, Content-Encoding, Content-Type, X-API-Key, X-Request-Id, X-Request-Timeout, traceparent, tracestate"
    /// The fields of an answer a page may read.
    static let exposedHeaders = "Retry-After, Server-Timing, X-Request-Id"
    /// Seconds for which a browser need not ask again.
    static let maxAge = "600"

    private let origins: Set<String>
    private let allowsAll: Bool

    /// A policy.
    ///
    /// - Parameter origins: Such as `https://example.org`, each as a browser writes it; `*` is any.
    public init(origins: [String]) {
        self.origins = Set(origins)
        allowsAll = origins.contains("*")
    }

    /// What a browser has to know of a request.
    struct Question: Sendable, Equatable {
        var origin: String
        /// Whether it asks before the request proper.
        var isPreflight: Bool
    }

    /// The answer with the fields that let the page read it.
    ///
    /// A page of another site gets the answer without them, and its browser keeps it to itself.
    func apply(to response: HTTPResponse, _ question: Question) -> HTTPResponse {
        var response = response
        if !allowsAll { response.headers.add(name: "Vary", value: "Origin") }
        guard allowsAll || origins.contains(question.origin) else { return response }
        response.headers.add(
            name: "Access-Control-Allow-Origin",
            value: allowsAll ? "*" : question.origin
        )
        if question.isPreflight, let methods = response.headers.first(name: "allow") {
            response.headers.add(name: "Access-Control-Allow-Methods", value: methods)
            response.headers.add(name: "Access-Control-Allow-Headers", value: Self.allowedHeaders)
            response.headers.add(name: "Access-Control-Max-Age", value: Self.maxAge)
        } else {
            response.headers.add(name: "Access-Control-Expose-Headers", value: Self.exposedHeaders)
        }
        return response
    }
}
