public import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One `GET` over HTTP/1.1, as a health check needs it: whoever answers, certificates are not looked at.
public struct HealthProbe: Sendable, Equatable {
    /// Why a probe got no answer.
    public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// Not `http[s]://HOST[:PORT][/PATH]`.
        case badURL(String)
        /// No connection, or one that closed before the answer was whole.
        case noAnswer(String)
        /// The time was up.
        case timedOut

        /// The reason in words.
        public var description: String {
            switch self {
            case .badURL(let url): "\(url) is not of the form http[s]://HOST[:PORT][/PATH]"
            case .noAnswer(let reason): "no answer: \(reason)"
            case .timedOut: "no answer in time"
            }
        }
    }

    /// What the server said.
    public struct Answer: Sendable, Equatable {
        /// The status code.
        public var status: Int
        /// The first 4096 bytes of the body.
        public var body: String
    }

    let host: String
    let port: Int
    let path: String
    let isSecure: Bool

    /// Reads the address to ask.
    ///
    /// - Parameter url: `http[s]://HOST[:PORT][/PATH]`, an IPv6 host in brackets; without a path, `/readyz`.
    /// - Throws: ``Failure/badURL(_:)``.
    public init(url: String) throws(Failure) {
        guard let scheme = ["http://", "https://"].first(where: url.lowercased().hasPrefix) else {
            throw .badURL(url)
        }
        isSecure = scheme == "https://"
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        let path = rest.dropFirst(authority.count)
        var host = authority
        var port: Int? = isSecure ? 443 : 80
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw .badURL(url) }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let tail = authority[authority.index(after: end)...]
            if !tail.isEmpty { port = tail.hasPrefix(":") ? Int(tail.dropFirst()) : nil }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = Int(authority[authority.index(after: colon)...])
        }
        guard !host.isEmpty, let port, (1...65535).contains(port),
            path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw .badURL(url) }
        self.host = String(host)
        self.port = port
        self.path = path.isEmpty || path == "/" ? "/readyz" : String(path)
    }

    /// Sends the request and reads the answer.
    ///
    /// - Parameter timeout: For connection and answer together.
    /// - Returns: Status and body.
    /// - Throws: ``Failure/noAnswer(_:)`` or ``Failure/timedOut``.
    public func ask(timeout: TimeAmount) async throws(Failure) -> Answer {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let promise = loop.makePromise(of: Answer.self)
        let deadline = loop.scheduleTask(in: timeout) { promise.fail(Failure.timedOut) }
        let request = HTTPRequestHead(
            version: .http1_1,
            method: .GET,
            uri: path,
            headers: ["Host": "\(host):\(port)", "Connection": "close"]
        )
        ClientBootstrap(group: loop)
            .connectTimeout(timeout + .seconds(1))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if isSecure { try channel.pipeline.syncOperations.addHandler(Self.tls()) }
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(
                        ProbeHandler(request: request, promise: promise)
                    )
                }
            }
            .connect(host: host, port: port)
            .whenComplete { result in
                switch result {
                case .success(let channel):
                    promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
                case .failure(let error):
                    promise.fail(Failure.noAnswer(SocketFault.reason(of: error)))
                }
            }
        do {
            let answer = try await promise.futureResult.get()
            deadline.cancel()
            return answer
        } catch {
            deadline.cancel()
            throw error as? Failure ?? .noAnswer(SocketFault.reason(of: error))
        }
    }
}

extension HealthProbe {
    private static func tls() throws -> NIOSSLClientHandler {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        return try NIOSSLClientHandler(
            context: NIOSSLContext(configuration: configuration),
            serverHostname: nil
        )
    }
}

private final class ProbeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: HTTPRequestHead
    private let promise: EventLoopPromise<HealthProbe.Answer>
    private var answer = HealthProbe.Answer(status: 0, body: "")

    init(request: HTTPRequestHead, promise: EventLoopPromise<HealthProbe.Answer>) {
        self.request = request
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(request)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): answer.status = Int(head.status.code)
        case .body(var bytes):
            let room = max(0, 4096 - answer.body.utf8.count)
            answer.body += bytes.readString(length: min(room, bytes.readableBytes)) ?? ""
        case .end: promise.succeed(answer)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(HealthProbe.Failure.noAnswer("the connection closed"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(HealthProbe.Failure.noAnswer(SocketFault.reason(of: error)))
    }
}
