import Coding
import NIOConcurrencyHelpers
public import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One connection to a collector over HTTP/1.1, opened when it is needed and kept.
public final class CollectorClient: SpanTransport {
    /// Why the authorities for a collector cannot be used.
    public struct FileFault: Error, Hashable, Sendable, CustomStringConvertible {
        /// File and reason in one line.
        public let description: String
    }

    private typealias Message = (bytes: ByteBuffer, coding: ContentCoding?)

    private let url: CollectorURL
    private let headers: CollectorHeaders
    private let compression: CollectorCompression
    private let loop: any EventLoop
    private let tls: NIOSSLContext?
    private let kept = NIOLockedValueBox<(any Channel)?>(nil)

    /// A client that is not connected yet.
    ///
    /// - Parameters:
    ///   - url: Where messages go.
    ///   - headers: What goes with every message.
    ///   - compression: How every message is compressed.
    ///   - authorities: The authorities the collector's certificate is held against, a file in PEM; nil: the system's.
    ///   - group: Threads that move bytes; one of them is used.
    /// - Throws: ``FileFault``.
    public init(
        url: CollectorURL,
        headers: CollectorHeaders = CollectorHeaders(),
        compression: CollectorCompression = .nothing,
        authorities: String? = nil,
        group: any EventLoopGroup
    ) throws(FileFault) {
        self.url = url
        self.headers = headers
        self.compression = compression
        loop = group.next()
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        if let authorities {
            guard let found = try? NIOSSLCertificate.fromPEMFile(authorities), !found.isEmpty else {
                throw FileFault(description: "\(authorities): no certificate in PEM")
            }
            configuration.trustRoots = .certificates(found)
        }
        guard url.isSecure else {
            tls = nil
            return
        }
        do {
            tls = try NIOSSLContext(configuration: configuration)
        } catch {
            throw FileFault(description: "the certificates of authorities cannot be read")
        }
    }

    /// Sends one message; one at a time.
    ///
    /// - Parameters:
    ///   - body: The message.
    ///   - timeout: For connecting, sending and the answer together.
    /// - Returns: What the collector said.
    /// - Throws: ``CollectorFault``, or `CancellationError` if the task was cancelled.
    public func post(_ body: ByteBuffer, timeout: Duration) async throws -> CollectorAnswer {
        let message = compression.apply(to: body)
        let promise = loop.makePromise(of: CollectorAnswer.self)
        let deadline = loop.scheduleTask(in: TimeAmount(timeout)) { promise.fail(CollectorFault.timedOut) }
        let isOver = NIOLockedValueBox(false)
        promise.futureResult.whenComplete { _ in
            isOver.withLockedValue { $0 = true }
            deadline.cancel()
        }
        return try await withTaskCancellationHandler {
            begin(message, promise, isOver)
            return try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }

    /// Closes the connection, if there is one.
    public func close() async {
        let channel = kept.withLockedValue { kept in
            defer { kept = nil }
            return kept
        }
        try? await channel?.close()
    }

    private func begin(
        _ message: Message,
        _ promise: EventLoopPromise<CollectorAnswer>,
        _ isOver: NIOLockedValueBox<Bool>
    ) {
        guard let channel = kept.withLockedValue({ $0 }), channel.isActive else {
            return connect(message, promise)
        }
        let answer = loop.makePromise(of: CollectorAnswer.self)
        answer.futureResult.whenComplete { result in
            // The collector may close a connection that rests just when it is used again.
            if case .failure(CollectorFault.closed) = result, !isOver.withLockedValue({ $0 }) {
                return self.connect(message, promise)
            }
            promise.completeWith(result)
        }
        send(message, on: channel, answer, until: promise.futureResult)
    }

    private func connect(_ message: Message, _ promise: EventLoopPromise<CollectorAnswer>) {
        ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { [tls, url, headers] channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(Self.handler(tls, url.host)) }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(CollectorHandler(url: url, headers: headers))
                }
            }
            .connect(host: url.host, port: url.port)
            .whenComplete { result in
                switch result {
                case .success(let channel):
                    self.kept.withLockedValue { $0 = channel }
                    self.send(message, on: channel, promise, until: promise.futureResult)
                case .failure(let error):
                    promise.fail(CollectorFault(error))
                }
            }
    }

    /// Sends on an open connection, and closes it if `whole` fails: what comes on it later would belong to nothing.
    private func send(
        _ message: Message,
        on channel: any Channel,
        _ answer: EventLoopPromise<CollectorAnswer>,
        until whole: EventLoopFuture<CollectorAnswer>
    ) {
        whole.whenFailure { _ in channel.close(promise: nil) }
        channel.writeAndFlush(CollectorExchange(body: message.bytes, coding: message.coding, answer: answer))
            .whenFailure { _ in
                answer.fail(CollectorFault.closed)
            }
    }

    /// An address cannot be asked for by name; the certificate is then held against the address itself.
    private static func handler(_ tls: NIOSSLContext, _ host: String) throws -> NIOSSLClientHandler {
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return try NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host)
    }
}
