import Logging
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOTLS

/// Looks at the beginning of a connection for HTTP/2, and is gone when it knows: requests of HTTP/1.1 never meet it.
///
/// Over TLS the handshake says which protocol is spoken; without, a client that knows beforehand says so with its first
/// 24 bytes (RFC 9113, section 3.4).
final class HTTP2Detector: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// What a client of HTTP/2 begins with; no request of HTTP/1.1 does.
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private let isSecure: Bool
    private let upgrade: (ChannelHandlerContext) throws -> Void
    private var received = ByteBuffer()

    /// A detector.
    ///
    /// - Parameters:
    ///   - isSecure: Whether TLS says what is spoken.
    ///   - upgrade: Puts the handlers of HTTP/2 in the place of those of HTTP/1.1.
    init(isSecure: Bool, upgrade: @escaping (ChannelHandlerContext) throws -> Void) {
        self.isSecure = isSecure
        self.upgrade = upgrade
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard isSecure, case .handshakeCompleted(let negotiated) = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        settle(context, isHTTP2: negotiated == "h2")
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isSecure else { return context.fireChannelRead(data) }
        let part = Self.unwrapInboundIn(data)
        if received.readableBytes == 0 { received = part } else { received.writeImmutableBuffer(part) }
        let bytes = received.readableBytesView.prefix(Self.preface.count)
        guard Self.preface.starts(with: bytes) else { return settle(context, isHTTP2: false) }
        if bytes.count == Self.preface.count { settle(context, isHTTP2: true) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        settle(context, isHTTP2: false)
        context.fireChannelInactive()
    }

    private func settle(_ context: ChannelHandlerContext, isHTTP2: Bool) {
        if isHTTP2 {
            do {
                try upgrade(context)
            } catch {
                return context.close(promise: nil)
            }
        }
        if received.readableBytes > 0 {
            context.fireChannelRead(Self.wrapInboundOut(received))
            received.clear()
        }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}
