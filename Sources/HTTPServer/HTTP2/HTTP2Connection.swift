import Logging
import NIOCore
import NIOHTTP2

/// One connection of HTTP/2: how long it may rest, and how it ends.
///
/// Its streams are requests of their own.
///
/// It ends as the protocol wants it (RFC 9113, section 6.8): a first `GOAWAY` asks the client to begin nothing more, and
/// names no stream, so that nothing that is on its way is lost. Once a `PING` has been to the client and back all of that
/// has come; a second one names the last stream, and the connection closes when that has been answered.
///
/// Nothing more is read from a client that does not take what it is sent: answers without a body are not held back by
/// the protocol's own windows.
final class HTTP2Connection: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private enum Phase {
        case open
        /// The client is asked to begin nothing more; what it began before it hears that is on its way.
        case announced
        /// Nothing more comes; what has come is being answered.
        case ending
        /// All is sent and the output closed; input is thrown away until the client closes as well.
        case lingering
    }

    private let configuration: ServerConfiguration
    private let registry: ConnectionRegistry
    private let logger: Logger
    private var context: ChannelHandlerContext?
    private var timer: ConnectionTimer?
    private var phase = Phase.open
    private var openStreams = 0
    private var lastStream = HTTP2StreamID.rootStream
    private var heldRead = false
    /// How much was left to write when its time began.
    private var transferMark = 0

    init(configuration: ServerConfiguration, registry: ConnectionRegistry, logger: Logger) {
        self.configuration = configuration
        self.registry = registry
        self.logger = logger
    }

    // MARK: Life of the connection

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        timer = ConnectionTimer(eventLoop: context.eventLoop) { [weak self] in self?.timedOut() }
        timer?.set(TimeAmount(configuration.headerTimeout))
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What else concerns the connection has been dealt with; handlers behind this one are on their way out.
        if case .ping(Self.question, ack: true) = Self.unwrapInboundIn(data).payload { end() }
    }

    func read(context: ChannelHandlerContext) {
        if context.channel.isWritable { context.read() } else { heldRead = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            if heldRead {
                heldRead = false
                context.read()
            }
            switch phase {
            case .open: rest()
            case .announced: timer?.set(ConnectionHandler.lingerTimeout)
            case .ending: if openStreams > 0 { timer?.clear() }
            case .lingering: break
            }
        } else {
            expectWrite()
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { announceEnd() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.debug("connection failed", metadata: ["error": "\(error)"])
        if !Self.concernsOneStream(error) { context.close(promise: nil) }
    }

    /// Whether an error has ended one stream only, which knows of it: a request that breaks the rules for header fields
    /// or has not the length it tells.
    private static func concernsOneStream(_ error: any Error) -> Bool {
        switch error {
        case is NIOHTTP2Errors.StreamError, is NIOHTTP2Errors.ContentLengthViolated,
            is NIOHTTP2Errors.ContentLengthHeadersMismatch, is NIOHTTP2Errors.ContentLengthHeaderNegative,
            is NIOHTTP2Errors.ContentLengthHeaderMalformedValue, is NIOHTTP2Errors.EmptyPathHeader,
            is NIOHTTP2Errors.InvalidPseudoHeaders, is NIOHTTP2Errors.InvalidPseudoHeaderValue,
            is NIOHTTP2Errors.UnknownPseudoHeader, is NIOHTTP2Errors.UnsupportedPseudoHeader,
            is NIOHTTP2Errors.DuplicatePseudoHeader, is NIOHTTP2Errors.PseudoHeaderAfterRegularHeader,
            is NIOHTTP2Errors.ForbiddenHeaderField, is NIOHTTP2Errors.InvalidHTTP2HeaderFieldName,
            is NIOHTTP2Errors.InvalidHTTP2HeaderFieldValue, is NIOHTTP2Errors.TrailersWithoutEndStream:
            true
        default: false
        }
    }

    // MARK: Streams

    fileprivate func opened(_ id: HTTP2StreamID) {
        openStreams += 1
        lastStream = max(lastStream, id)
        rest()
        if registry.isDraining { announceEnd() }
    }

    fileprivate func closed() {
        openStreams -= 1
        guard openStreams == 0 else { return }
        if phase == .ending { finish() } else { rest() }
    }

    // MARK: Times

    /// Begins the time between two requests, or ends it: streams have times of their own.
    private func rest() {
        guard phase == .open, let context, context.channel.isWritable else { return }
        if openStreams > 0 { timer?.clear() } else { timer?.set(TimeAmount(configuration.idleTimeout)) }
    }

    /// Begins the time in which the client has to take what is written.
    private func expectWrite() {
        guard phase != .lingering else { return }
        transferMark = context?.channel.unwrittenBytes ?? 0
        timer?.set(TimeAmount(configuration.writeTimeout))
    }

    private func timedOut() {
        guard let context else { return }
        if context.channel.isWritable, phase == .open { return announceEnd() }
        if context.channel.isWritable, phase == .announced { return end() }
        let left = context.channel.unwrittenBytes
        if phase != .lingering, transferMark - left >= ConnectionHandler.leastTransfer {
            return expectWrite()
        }
        if left > 0 { context.channel.dropUnwritten() }
        context.close(promise: nil)
    }

    // MARK: Ends

    /// Comes back from the client behind all that it has begun.
    private static let question = HTTP2PingData(withInteger: 0x7365_716E_6F72_6D21)

    /// Asks the client to begin nothing more; what it has begun by the time it hears that is answered.
    private func announceEnd() {
        guard phase == .open, let context else { return }
        guard lastStream != .rootStream else { return end() }
        phase = .announced
        timer?.set(ConnectionHandler.lingerTimeout)
        goAway(.maxID)
        let frame = HTTP2Frame(streamID: .rootStream, payload: .ping(Self.question, ack: false))
        context.writeAndFlush(Self.wrapOutboundOut(frame), promise: nil)
    }

    /// Closes when the streams that are open have ended.
    private func end() {
        guard phase == .open || phase == .announced else { return }
        phase = .ending
        timer?.clear()
        if openStreams > 0 { goAway(lastStream) } else { finish() }
    }

    /// Closes once all that is written has gone out.
    private func finish() {
        guard let context else { return }
        let eventLoop = context.eventLoop
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        // What closes the last stream is still being worked on.
        eventLoop.execute {
            let connection = bound.value
            let sent = eventLoop.makePromise(of: Void.self)
            sent.futureResult.whenComplete { _ in bound.value.shutOutput() }
            connection.expectWrite()
            connection.goAway(connection.lastStream, sent)
        }
    }

    /// A close at once would reset the connection if the client still sends, and it might not see the last answers.
    private func shutOutput() {
        guard let context, phase == .ending else { return }
        phase = .lingering
        timer?.set(ConnectionHandler.lingerTimeout)
        context.close(mode: .output, promise: nil)
        context.read()
    }

    /// Writes `GOAWAY`, past NIO's own handler: behind one that it knows of, that drops what is on its way, and takes the
    /// body of what it dropped for a fault of the client's.
    private func goAway(_ last: HTTP2StreamID, _ promise: EventLoopPromise<Void>? = nil) {
        guard let pipeline = context?.pipeline.syncOperations,
            let handler = try? pipeline.context(handlerType: NIOHTTP2Handler.self)
        else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        // 8 bytes, type 7, for the connection; the last stream, and no error.
        var frame = ByteBuffer(bytes: [0, 0, 8, 7, 0, 0, 0, 0, 0])
        frame.writeInteger(UInt32(Int(last)))
        frame.writeInteger(UInt32(0))
        handler.writeAndFlush(NIOAny(frame), promise: promise)
    }
}

/// Tells a connection of its streams.
struct HTTP2StreamObserver: NIOHTTP2StreamDelegate {
    private let connection: NIOLoopBound<HTTP2Connection>

    init(_ connection: HTTP2Connection, eventLoop: any EventLoop) {
        self.connection = NIOLoopBound(connection, eventLoop: eventLoop)
    }

    func streamCreated(_ id: HTTP2StreamID, channel: any Channel) {
        connection.value.opened(id)
        channel.closeFuture.whenComplete { [connection] _ in connection.value.closed() }
    }

    func streamClosed(_ id: HTTP2StreamID, channel: any Channel) {
        // The channel says so itself, whatever has closed it.
    }
}
