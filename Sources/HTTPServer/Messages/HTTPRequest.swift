public import NIOCore
public import NIOHTTP1

/// One request with its whole body.
public struct HTTPRequest: Sendable {
    /// What stands in the head; shared by all copies, so that copying a request costs little.
    private final class Head: Sendable {
        let method: HTTPMethod
        let path: String
        let query: String?
        let headers: HTTPHeaders
        let id: String

        init(method: HTTPMethod, path: String, query: String?, headers: HTTPHeaders, id: String) {
            self.method = method
            self.path = path
            self.query = query
            self.headers = headers
            self.id = id
        }
    }

    private var head: Head
    /// The verb.
    public var method: HTTPMethod { head.method }
    /// The path as it was sent, percent-encoded, without query; begins with `/`, or is `*`.
    public var path: String { head.path }
    /// What stands behind the first `?`, percent-encoded; nil without `?`.
    public var query: String? { head.query }
    /// The header fields in order of arrival; names compare without case.
    public var headers: HTTPHeaders {
        get { head.headers }
        set { head = Head(method: method, path: path, query: query, headers: newValue, id: id) }
    }
    /// The body, unchunked; at most ``ServerConfiguration/maxBodyBytes``, and empty if there is a ``stream``.
    public var body: ByteBuffer
    /// The body of any length, part by part, if ``Responder/wantsStream(_:)`` said so.
    public var stream: RequestBody?
    /// The client's `X-Request-Id` if it is sane, else one made here; echoed in the answer.
    public var id: String { head.id }
    /// What the route's template caught from the path.
    public var parameters: PathParameters
    /// What a responder hands on to its own routes; nil from a connection.
    public var attachment: (any AnyObject & Sendable)?

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
        head = Head(method: method, path: path, query: query, headers: headers, id: id)
        self.body = body
        self.parameters = PathParameters()
    }
}
