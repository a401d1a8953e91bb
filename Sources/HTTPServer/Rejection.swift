public import NIOHTTP1

/// Why the server itself turns a request down before, or instead of, any handler.
public enum Rejection: Error, Hashable, Sendable {
    /// The bytes are not HTTP; the connection is closed.
    case malformed(reason: String)
    /// Request line and header fields are larger than `limit` bytes.
    case headerTooLarge(limit: Int)
    /// The body is larger than `limit` bytes, by its `Content-Length` or by what arrived.
    case bodyTooLarge(limit: Int)
    /// The body's coding is not one the server knows.
    case unsupportedContentCoding
    /// The body would become more than `ratio` times as long as it came.
    case inflatesTooMuch(ratio: Int)
    /// The head did not arrive in time.
    case requestTimeout(limit: Duration)
    /// The body did not arrive in time, nor did it keep arriving.
    case bodyTimeout(limit: Duration)
    /// More than `limit` connections are open.
    case tooManyConnections(limit: Int)
    /// A transfer coding other than `chunked`.
    case unsupportedTransferCoding
    /// A version other than HTTP/1.0 and HTTP/1.1.
    case unsupportedVersion
    /// An `Expect` other than `100-continue`.
    case unsupportedExpectation

    /// The status that says so.
    public var status: HTTPResponseStatus {
        switch self {
        case .malformed: .badRequest
        case .headerTooLarge: .requestHeaderFieldsTooLarge
        case .bodyTooLarge, .inflatesTooMuch: .payloadTooLarge
        case .unsupportedContentCoding: .unsupportedMediaType
        case .requestTimeout, .bodyTimeout: .requestTimeout
        case .tooManyConnections: .serviceUnavailable
        case .unsupportedTransferCoding: .notImplemented
        case .unsupportedVersion: .httpVersionNotSupported
        case .unsupportedExpectation: .expectationFailed
        }
    }
}

extension Rejection: CustomStringConvertible {
    /// One sentence that names the rule and the limit.
    public var description: String {
        switch self {
        case .malformed(let reason): "malformed request: \(reason)"
        case .headerTooLarge(let limit): "request line and header fields are larger than \(limit) bytes"
        case .bodyTooLarge(let limit): "request body is larger than \(limit) bytes"
        case .unsupportedContentCoding:
            "the only content codings supported are gzip and deflate, one at a time"
        case .inflatesTooMuch(let ratio): "request body inflates to more than \(ratio) times its size"
        case .requestTimeout(let limit): "request line and header fields did not arrive within \(limit)"
        case .bodyTimeout(let limit): "request body did not keep arriving for \(limit)"
        case .tooManyConnections(let limit): "more than \(limit) connections are open"
        case .unsupportedTransferCoding: "the only transfer coding supported is chunked"
        case .unsupportedVersion: "the only versions supported are HTTP/1.0 and HTTP/1.1"
        case .unsupportedExpectation: "the only expectation supported is 100-continue"
        }
    }
}
