/// Where a ``Server`` listens, and every limit of its connections.
///
/// ```swift
/// var configuration = ServerConfiguration()
/// configuration.port = 8080
/// configuration.maxBodyBytes = 1 << 20
/// ```
public struct ServerConfiguration: Sendable, Equatable {
    /// A name, an IPv4 or an IPv6 address (without brackets).
    public var host: String
    /// `0 ... 65535`; 0 takes a free port, which ``Server/start()`` returns.
    public var port: Int
    /// Where a Unix domain socket is made and listened on, instead of host and port; nil: none.
    public var unixSocketPath: String?
    /// Which pages of other sites may read the answers in a browser; nil: none.
    public var cors: CORSPolicy?
    /// Whether ``Responder/refusal(of:)`` is asked before a body is read.
    public var asksBeforeBody: Bool
    /// Connections the kernel queues until they are accepted.
    public var backlog: Int
    /// Threads that move bytes, at least 1.
    public var eventLoopThreads: Int
    /// Connections open at once; one more is answered with ``Rejection/tooManyConnections(limit:)``.
    public var maxConnections: Int
    /// Whether HTTP/2 is spoken with clients that ask for it: over TLS by ALPN, without by beginning with it.
    public var speaksHTTP2: Bool
    /// Requests of one connection of HTTP/2 that are answered at once, at least 1.
    public var maxConcurrentStreams: Int
    /// Bytes of request line and header fields together, beyond which ``Rejection/headerTooLarge(limit:)``.
    public var maxHeaderBytes: Int
    /// Bytes of one request body, chunked or not, beyond which ``Rejection/bodyTooLarge(limit:)``.
    public var maxBodyBytes: Int
    /// How many times as long as it came a compressed body may become.
    ///
    /// At least 1; more is ``Rejection/inflatesTooMuch(ratio:)``. Up to 64 KiB a body may whatever its ratio.
    public var maxInflateRatio: Int
    /// How hard answers are compressed for clients that ask for it.
    ///
    /// From 1 (fast) to 9 (small); 0: not at all.
    public var compressionLevel: Int
    /// Bodies of up to this many bytes are handed to the responder on the event loop's own thread; 0: only empty ones.
    public var maxInlineBodyBytes: Int
    /// How long a connection may rest between two requests.
    public var idleTimeout: Duration
    /// How long the head of a request may take: from the start of the connection, or from its first byte.
    public var headerTimeout: Duration
    /// How long a client may take to send a whole body, or 64 KiB more of it.
    public var bodyTimeout: Duration
    /// How long a client may take to accept an answer, or a part of a streamed one, or 64 KiB more of it.
    public var writeTimeout: Duration
    /// How long ``Server/stop()`` waits for requests in flight before it closes their connections.
    public var shutdownTimeout: Duration

    /// The defaults: 127.0.0.1:8080, one event loop, 1024 connections, 16 KiB of header, 64 MiB of body, HTTP/2 as well.
    public init() {
        host = "127.0.0.1"
        port = 8080
        asksBeforeBody = false
        backlog = 1024
        eventLoopThreads = 1
        maxConnections = 1024
        speaksHTTP2 = true
        maxConcurrentStreams = 100
        maxHeaderBytes = 16 << 10
        maxBodyBytes = 64 << 20
        maxInflateRatio = 100
        compressionLevel = 1
        maxInlineBodyBytes = 4 << 10
        idleTimeout = .seconds(75)
        headerTimeout = .seconds(10)
        bodyTimeout = .seconds(60)
        writeTimeout = .seconds(60)
        shutdownTimeout = .seconds(25)
    }
}
