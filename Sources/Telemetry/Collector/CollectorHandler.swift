import Coding
import NIOCore
import NIOHTTP1
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One message and who waits for what the collector says of it.
struct CollectorExchange: Sendable {
    let body: ByteBuffer
    /// What the body is compressed with.
    let coding: ContentCoding?
    let answer: EventLoopPromise<CollectorAnswer>
}

/// Writes messages as requests and reads the answers, one after the other.
final class CollectorHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = CollectorExchange
    typealias OutboundOut = HTTPClientRequestPart

    /// Answers are short; what is longer is not kept.
    static let mostAnswerBytes = 64 << 10

    private let url: CollectorURL
    private let headers: CollectorHeaders
    private var waiter: EventLoopPromise<CollectorAnswer>?
    private var answer = CollectorAnswer(status: 0)
    private var isKeptAlive = false

    init(url: CollectorURL, headers: CollectorHeaders) {
        self.url = url
        self.headers = headers
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let exchange = Self.unwrapOutboundIn(data)
        waiter?.fail(CollectorFault.closed)
        waiter = exchange.answer
        var head = HTTPRequestHead(
            version: .http1_1,
            method: .POST,
            uri: url.path,
            headers: [
                "Host": url.authority, "Content-Type": "application/x-protobuf",
                "Content-Length": String(exchange.body.readableBytes), "User-Agent": "seqnorm",
            ]
        )
        if let coding = exchange.coding {
            head.headers.add(name: "Content-Encoding", value: coding.rawValue)
        }
        for field in headers.fields { head.headers.add(name: field.name, value: field.value) }
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(exchange.body))), promise: nil)
        context.write(Self.wrapOutboundOut(.end(nil)), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            isKeptAlive = head.isKeepAlive
            answer = CollectorAnswer(status: Int(head.status.code), retryAfter: Self.retryAfter(head.headers))
        case .body(let part):
            let room = Self.mostAnswerBytes - answer.body.readableBytes
            if part.readableBytes <= room { answer.body.writeImmutableBuffer(part) }
        case .end:
            let waiter = take()
            if !isKeptAlive { context.close(promise: nil) }
            waiter?.succeed(answer)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        take()?.fail(CollectorFault.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        take()?.fail(CollectorFault(error))
        context.close(promise: nil)
    }

    private func take() -> EventLoopPromise<CollectorAnswer>? {
        defer { waiter = nil }
        return waiter
    }

    /// `Retry-After` in seconds; a date is not read.
    private static func retryAfter(_ headers: HTTPHeaders) -> Duration? {
        guard let seconds = headers.first(name: "retry-after").flatMap({ UInt32($0) }) else { return nil }
        return .seconds(Int64(seconds))
    }
}

extension CollectorFault {
    /// What the system says, without the names of its calls.
    init(_ error: any Error) {
        switch error {
        case let fault as CollectorFault: self = fault
        case let error as IOError where error.errnoCode == ECONNRESET || error.errnoCode == EPIPE:
            self = .closed
        case let error as IOError:
            self = .unreachable(reason: String(cString: strerror(error.errnoCode)).lowercased())
        case let error as NIOConnectionError:
            self = error.connectionErrors.first.map { Self($0.error) } ?? .unreachable(reason: "unknown host")
        case ChannelError.ioOnClosedChannel, ChannelError.alreadyClosed, ChannelError.eof: self = .closed
        case ChannelError.connectTimeout: self = .timedOut
        default: self = .unreachable(reason: "\(error)")
        }
    }
}
