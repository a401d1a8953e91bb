public import NIOCore

/// Brings encoded spans to a collector.
public protocol SpanTransport: Sendable {
    /// Sends one message.
    ///
    /// - Parameters:
    ///   - body: The message.
    ///   - timeout: For connecting, sending and the answer together.
    /// - Returns: What the collector said.
    /// - Throws: ``CollectorFault``, or `CancellationError` if the task was cancelled.
    func post(_ body: ByteBuffer, timeout: Duration) async throws -> CollectorAnswer
}

/// What a collector said.
public struct CollectorAnswer: Hashable, Sendable {
    /// The status code.
    public var status: Int
    /// When to come back, if it said so in seconds.
    public var retryAfter: Duration?
    /// The body, if it is not too long.
    public var body: ByteBuffer

    /// An answer.
    ///
    /// - Parameters:
    ///   - status: The status code.
    ///   - retryAfter: When to come back.
    ///   - body: The body.
    public init(status: Int, retryAfter: Duration? = nil, body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.retryAfter = retryAfter
        self.body = body
    }
}

/// Why a collector gave no answer.
public enum CollectorFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// No connection.
    case unreachable(reason: String)
    /// The connection ended before the answer.
    case closed
    /// The time was up.
    case timedOut

    /// The reason in words.
    public var description: String {
        switch self {
        case .unreachable(let reason): reason
        case .closed: "the connection closed before the answer"
        case .timedOut: "no answer in time"
        }
    }
}
