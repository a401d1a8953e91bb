public import Logging
import NIOConcurrencyHelpers
public import NIOCore
import NIOHTTP1
import NIOPosix

/// A server of HTTP/1.1 and HTTP/2 on SwiftNIO; knows bytes, limits and connections, but nothing of what it serves.
///
/// ```swift
/// let server = Server(configuration: ServerConfiguration(), responder: api, logger: logger)
/// let address = try await server.start()
/// // ... until SIGTERM:
/// server.beginDraining()
/// await server.stop()
/// ```
public final class Server: Sendable {
    /// Why a server cannot start.
    public enum StartError: Error, Hashable, Sendable, CustomStringConvertible {
        /// It runs already, or has been stopped; make another one.
        case alreadyStarted
        /// A limit that must be at least 1 is not, or the port is not in `0 ... 65535`.
        case invalidConfiguration(name: String, value: Int)
        /// The operating system does not let it listen there.
        case cannotListen(host: String, port: Int, reason: String)
        /// The operating system does not let it listen on a socket there.
        case cannotListenAt(path: String, reason: String)

        /// Place and reason in one line.
        public var description: String {
            switch self {
            case .alreadyStarted: "the server runs already, or has been stopped"
            case .invalidConfiguration(let name, let value): "\(name): \(value) is out of range"
            case .cannotListen(let host, let port, let reason):
                "\(host.contains(":" as Character) ? "[\(host)]" : host):\(port): cannot listen: \(reason)"
            case .cannotListenAt(let path, let reason): "\(path): cannot listen: \(reason)"
            }
        }
    }

    private struct Running: Sendable {
        var group: MultiThreadedEventLoopGroup
        var channel: any Channel
        /// What was made at the path of a Unix domain socket.
        var socketFile: FileStamp?
    }

    private enum State: Sendable {
        case new
        case starting
        case running(Running)
        case stopped
    }

    private let configuration: ServerConfiguration
    private let responder: any Responder
    private let logger: Logger
    private let tls: TLSIdentity?
    private let registry = ConnectionRegistry()
    private let state = NIOLockedValueBox(State.new)

    /// A server that does not listen yet.
    ///
    /// - Parameters:
    ///   - configuration: Where to listen, and the limits.
    ///   - responder: What answers.
    ///   - logger: Gets failures of connections at debug level.
    ///   - tls: What the server shows its clients; nil: connections are not encrypted.
    public init(
        configuration: ServerConfiguration,
        responder: any Responder,
        logger: Logger,
        tls: TLSIdentity? = nil
    ) {
        self.tls = tls
        self.configuration = configuration
        self.responder = responder
        self.logger = logger
    }

    /// The number of connections open now.
    public var connectionCount: Int { registry.count }

    /// Listens and begins to answer.
    ///
    /// - Returns: The address that is bound, with the port the kernel chose if 0 was asked for.
    /// - Throws: ``StartError``.
    public func start() async throws(StartError) -> SocketAddress {
        try configuration.check()
        let isNew = state.withLockedValue { state in
            guard case .new = state else { return false }
            state = .starting
            return true
        }
        guard isNew else { throw StartError.alreadyStarted }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoopThreads)
        do {
            let channel = try await bind(group)
            guard let address = channel.localAddress else { throw ChannelError.unknownLocalAddress }
            let file = configuration.unixSocketPath.flatMap { FileStamp($0) }
            state.withLockedValue {
                $0 = .running(Running(group: group, channel: channel, socketFile: file))
            }
            return address
        } catch {
            state.withLockedValue { $0 = .stopped }
            try? await group.shutdownGracefully()
            let reason = SocketFault.reason(of: error)
            if let path = configuration.unixSocketPath { throw .cannotListenAt(path: path, reason: reason) }
            throw .cannotListen(host: configuration.host, port: configuration.port, reason: reason)
        }
    }

    /// Says `Connection: close` in every answer from now on, and still accepts connections.
    public func beginDraining() {
        registry.beginDraining()
    }

    /// Stops accepting, lets requests in flight finish, closes every connection.
    ///
    /// Returns when all is closed: at the latest ``ServerConfiguration/shutdownTimeout`` after the call,
    /// when what is still open is broken off and its tasks are cancelled. A second call does nothing.
    public func stop() async {
        registry.beginDraining()
        let running: Running? = state.withLockedValue { state in
            guard case .running(let running) = state else { return nil }
            state = .stopped
            return running
        }
        guard let running else { return }
        try? await running.channel.close()
        if let path = configuration.unixSocketPath { UnixSocketFile(path: path).remove(running.socketFile) }
        let loop = running.group.next()
        let closed = loop.makePromise(of: Void.self)
        registry.quiesce(emptied: closed)
        let cut = loop.scheduleTask(in: TimeAmount(configuration.shutdownTimeout)) { [registry] in
            registry.closeAll()
        }
        try? await closed.futureResult.get()
        cut.cancel()
        try? await running.group.shutdownGracefully()
    }

    private func bind(_ group: MultiThreadedEventLoopGroup) async throws -> any Channel {
        guard let path = configuration.unixSocketPath else {
            return try await bootstrap(group).childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .bind(host: configuration.host, port: configuration.port).get()
        }
        try UnixSocketFile(path: path).clear()
        return try await bootstrap(group).bind(unixDomainSocketPath: path).get()
    }

    private func bootstrap(_ group: MultiThreadedEventLoopGroup) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: CInt(clamping: configuration.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { [configuration, responder, logger, registry, tls] channel in
                channel.eventLoop.makeCompletedFuture {
                    try ConnectionHandler.install(
                        on: channel,
                        configuration: configuration,
                        responder: responder,
                        registry: registry,
                        logger: logger,
                        tls: tls
                    )
                }
            }
    }
}

extension ServerConfiguration {
    fileprivate func check() throws(Server.StartError) {
        guard (0...65535).contains(port) else {
            throw .invalidConfiguration(name: "port", value: port)
        }
        let limits = [
            ("eventLoopThreads", eventLoopThreads), ("maxConnections", maxConnections),
            ("maxHeaderBytes", maxHeaderBytes), ("maxBodyBytes", maxBodyBytes), ("backlog", backlog),
            ("maxInflateRatio", maxInflateRatio), ("maxConcurrentStreams", maxConcurrentStreams),
        ]
        guard (0...9).contains(compressionLevel) else {
            throw .invalidConfiguration(name: "compressionLevel", value: compressionLevel)
        }
        for (name, value) in limits where value < 1 {
            throw .invalidConfiguration(name: name, value: value)
        }
    }
}
