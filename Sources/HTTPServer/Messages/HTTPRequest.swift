public import NIOCore
public import NIOHTTP1

/// One request with its whole body.
public struct HTTPRequest: Sendable {
    /// The verb.
    public var method: HTTPMethod
    /// The path as it was sent, percent-encoded, without query; begins with `/`, or is `*`.
    public var path: String
    /// What stands behind the first `?`, percent-encoded; nil without `?`.
    public var query: String?
    /// The header fields in order of arrival; names compare without case.
    public var headers: HTTPHeaders
    /// The body, unchunked; at most ``ServerConfiguration/maxBodyBytes``, and empty if there is a ``stream``.
    public var body: ByteBuffer
    /// The body of any length, part by part, if ``Responder/wantsStream(_:)`` said so.
    public var stream: RequestBody?
    /// The client's `X-Request-Id` if it is sane, else one made here; echoed in the answer.
    public var id: String
    /// What the route's template caught from the path.
    public var parameters: PathParameters

    /// A request, for tests and tools as well as from a connection.
    ///
    /// - Parameters:
    ///   - method: The verb.
    ///   - path: Percent-encoded, without query.
    ///   - query: What stands behind `?`.
    ///   - headers: The header fields.
    ///   - body: The body.
    ///   - id: The request's name in logs and answers.
    public init(
        method: HTTPMethod,
        path: String,
        query: String? = nil,
        headers: HTTPHeaders = [:],
        body: ByteBuffer = ByteBuffer(),
        id: String = "-"
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.id = id
        self.parameters = PathParameters()
    }
}
