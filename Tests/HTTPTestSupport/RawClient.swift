public import NIOCore
public import NIOHTTP1
import NIOPosix

/// A client that sends any bytes over a real socket; used by one task.
public final class RawClient {
    private let channel: any Channel
    private var parts: AsyncStream<ByteBuffer>.Iterator
    private var received = ByteBuffer()

    private init(channel: any Channel, parts: AsyncStream<ByteBuffer>) {
        self.channel = channel
        self.parts = parts.makeAsyncIterator()
    }

    /// Connects to a server.
    ///
    /// - Parameters:
    ///   - address: Where it listens.
    ///   - reads: Whether the client takes what the server sends.
    /// - Returns: A connected client.
    /// - Throws: NIO's `IOError` if nothing listens there.
    public static func connect(
        to address: SocketAddress,
        reads: Bool = true
    ) async throws -> sending RawClient {
        let (parts, source) = AsyncStream.makeStream(of: ByteBuffer.self)
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: reads)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(source: source))
                }
            }
            .connect(to: address).get()
        return RawClient(channel: channel, parts: parts)
    }

    /// Sends bytes; returns when the kernel has them, or the connection is gone.
    ///
    /// - Parameter text: The bytes as UTF-8.
    public func send(_ text: String) async {
        try? await channel.writeAndFlush(ByteBuffer(string: text))
    }

    /// Sends bytes.
    ///
    /// - Parameter bytes: Any bytes.
    public func send(_ bytes: [UInt8]) async {
        try? await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// Closes the connection.
    public func close() async {
        try? await channel.close()
    }

    /// Resets the connection: what is under way is lost.
    public func reset() async {
        try? await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try? await channel.close()
    }

    /// Waits for bytes up to a mark.
    ///
    /// - Parameter mark: Text that ends what is wanted.
    /// - Returns: Everything up to and with the mark; all there is if the server closed before.
    public func receive(through mark: String) async -> String {
        while true {
            let text = String(buffer: received)
            if let range = text.firstRange(of: mark) {
                let taken = text[..<range.upperBound]
                received.moveReaderIndex(forwardBy: taken.utf8.count)
                return String(taken)
            }
            guard let part = await parts.next() else {
                received.clear()
                return text
            }
            received.writeImmutableBuffer(part)
        }
    }

    /// Waits until the server closes.
    ///
    /// - Returns: Everything that came.
    public func receiveToEnd() async -> String {
        while let part = await parts.next() {
            received.writeImmutableBuffer(part)
        }
        defer { received.clear() }
        return String(buffer: received)
    }

    private func receive(count: Int) async -> String {
        while received.readableBytes < count, let part = await parts.next() {
            received.writeImmutableBuffer(part)
        }
        return received.readString(length: min(count, received.readableBytes)) ?? ""
    }

    /// Waits for one answer.
    ///
    /// - Parameter isHead: Whether it answers a `HEAD` request and therefore has no body.
    /// - Returns: The answer; nil if the server closed without one.
    public func response(isHead: Bool = false) async -> RawResponse? {
        guard var answer = RawResponse(head: await receive(through: "\r\n\r\n")) else { return nil }
        if isHead || answer.status == 204 || answer.status / 100 == 1 { return answer }
        if answer.headers.first(name: "transfer-encoding") == "chunked" {
            while let size = Int(await receive(through: "\r\n").dropLast(), radix: 16) {
                let chunk = await receive(count: size)
                if size > 0 { answer.parts.append(chunk) }
                _ = await receive(through: "\r\n")
                if size == 0 {
                    answer.isWhole = true
                    break
                }
            }
            answer.body = answer.parts.joined()
        } else if let length = answer.headers.first(name: "content-length").flatMap({ Int($0) }) {
            answer.body = await receive(count: length)
            answer.isWhole = answer.body.utf8.count == length
        } else {
            answer.body = await receiveToEnd()
        }
        return answer
    }

    /// Sends one request and waits for its answer.
    ///
    /// - Parameters:
    ///   - method: The verb.
    ///   - path: The request target.
    ///   - headers: Header fields besides `Host` and `Content-Length`.
    ///   - body: The body.
    /// - Returns: The answer; nil if the server closed without one.
    public func request(
        _ method: String,
        _ path: String,
        headers: [(String, String)] = [],
        body: String? = nil
    ) async -> RawResponse? {
        var text = "\(method) \(path) HTTP/1.1\r\nHost: test\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
        await send(text + "\r\n" + (body ?? ""))
        return await response(isHead: method == "HEAD")
    }
}

/// One answer as it came over the wire.
public struct RawResponse: Sendable {
    /// The status code.
    public var status: Int
    /// The header fields.
    public var headers: HTTPHeaders
    /// The body, unchunked.
    public var body = ""
    /// The chunks, if it was chunked.
    public var parts: [String] = []
    /// Whether the body ended as it should.
    public var isWhole = false

    init?(head: String) {
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)
        guard head.hasSuffix("\r\n\r\n"), !lines.isEmpty else { return nil }
        let words = lines.removeFirst().split(separator: " ")
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else { return nil }
        self.status = status
        headers = HTTPHeaders()
        for line in lines {
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            headers.add(
                name: String(line[..<colon]),
                value: String(line[colon...].dropFirst().drop { $0 == " " })
            )
        }
    }
}

private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let source: AsyncStream<ByteBuffer>.Continuation

    init(source: AsyncStream<ByteBuffer>.Continuation) {
        self.source = source
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        source.yield(Self.unwrapInboundIn(data))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { source.finish() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        source.finish()
    }
}
