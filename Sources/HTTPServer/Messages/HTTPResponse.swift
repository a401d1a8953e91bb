public import NIOCore
public import NIOHTTP1

/// One answer; the server adds `Content-Length` or chunks, `Date`, `Connection` and `X-Request-Id`.
public struct HTTPResponse: Sendable {
    /// What follows the header fields.
    public enum Body: Sendable {
        /// All at once, sent with `Content-Length`.
        case bytes(ByteBuffer)
        /// Part by part, sent in chunks as the client takes them.
        case stream(BodyStream)
    }

    /// The status.
    public var status: HTTPResponseStatus
    /// The header fields but those the server adds.
    public var headers: HTTPHeaders
    /// The body.
    public var body: Body

    /// An answer whose body is known.
    ///
    /// - Parameters:
    ///   - status: The status.
    ///   - headers: The header fields but those the server adds.
    ///   - body: The body.
    public init(
        status: HTTPResponseStatus,
        headers: HTTPHeaders = [:],
        body: ByteBuffer = ByteBuffer()
    ) {
        self.status = status
        self.headers = headers
        self.body = .bytes(body)
    }

    /// An answer whose body comes part by part.
    ///
    /// - Parameters:
    ///   - status: The status, sent before the first part is asked for.
    ///   - headers: The header fields but those the server adds.
    ///   - stream: The parts.
    public init(status: HTTPResponseStatus, headers: HTTPHeaders = [:], stream: BodyStream) {
        self.status = status
        self.headers = headers
        self.body = .stream(stream)
    }
}
