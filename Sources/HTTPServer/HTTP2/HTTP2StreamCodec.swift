import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

/// Turns the frames of one stream into the parts of a request as HTTP/1.1 would give them; answers pass as frames.
///
/// A request that is answered before it has come whole is told so: its stream is reset behind the answer, without an
/// error (RFC 9113, section 8.1).
final class HTTP2StreamCodec: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let maxHeaderBytes: Int
    private var hasHead = false
    private var hasEnd = false

    init(maxHeaderBytes: Int) {
        self.maxHeaderBytes = maxHeaderBytes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .headers(let block) where !hasHead:
            hasHead = true
            let size = block.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
            guard size <= maxHeaderBytes else {
                hasEnd = block.endStream
                return context.fireErrorCaught(HTTPParserError.headerOverflow)
            }
            let head = HTTPRequestHead(block.headers, hasBody: !block.endStream)
            context.fireChannelRead(Self.wrapInboundOut(.head(head)))
            if block.endStream { end(context) }
        case .headers:
            // Trailers say nothing that is read here.
            end(context)
        case .data(let part):
            if case .byteBuffer(let bytes) = part.data, bytes.readableBytes > 0 {
                context.fireChannelRead(Self.wrapInboundOut(.body(bytes)))
            }
            if part.endStream { end(context) }
        default: break
        }
    }

    private func end(_ context: ChannelHandlerContext) {
        hasEnd = true
        context.fireChannelRead(Self.wrapInboundOut(.end(nil)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !hasEnd, Self.unwrapOutboundIn(data).endsStream else {
            return context.write(data, promise: promise)
        }
        // A reset overtakes what has not gone out yet.
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        let stream = NIOLoopBound(context, eventLoop: context.eventLoop)
        written.futureResult.assumeIsolated().whenSuccess { [weak self] in
            guard let self, !hasEnd, stream.value.channel.isActive else { return }
            stream.value.writeAndFlush(Self.wrapOutboundOut(.rstStream(.noError)), promise: nil)
        }
        context.write(data, promise: written)
    }
}

extension HTTP2Frame.FramePayload {
    fileprivate var endsStream: Bool {
        switch self {
        case .headers(let block): block.endStream
        case .data(let part): part.endStream
        default: false
        }
    }
}

extension HTTPRequestHead {
    /// A head as it would stand in HTTP/1.1: with `Host`, and with `Transfer-Encoding` if a body of unknown length follows.
    ///
    /// A `Host` beside an authority that is another one stays, and so makes two.
    ///
    /// - Parameters:
    ///   - block: Valid, as the frames' decoder sees to.
    ///   - hasBody: Whether more follows.
    init(_ block: HPACKHeaders, hasBody: Bool) {
        var (method, path, authority) = ("", "", nil as String?)
        var headers = HTTPHeaders()
        headers.reserveCapacity(block.count)
        for (name, value, _) in block {
            switch name {
            case ":method": method = value
            case ":path": path = value
            case ":authority":
                authority = value
                headers.add(name: "host", value: value)
            case "host" where value == authority: break
            default: if !name.hasPrefix(":") { headers.add(name: name, value: value) }
            }
        }
        if hasBody, !headers.contains(name: "content-length") {
            headers.add(name: "transfer-encoding", value: "chunked")
        }
        self.init(version: .http1_1, method: HTTPMethod(rawValue: method), uri: path, headers: headers)
    }
}
