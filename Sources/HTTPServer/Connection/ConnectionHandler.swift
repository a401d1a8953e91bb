import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1

/// One connection: requests in, answers out, one after the other, within the limits.
///
/// Or one stream of HTTP/2, which is a connection with one request. Lives on the connection's event loop. A request is
/// assembled whole, then answered: at once, or by a task if that takes waiting or the body is long. Parts of later
/// (pipelined) requests wait in ``pending`` and stop the reading meanwhile.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// Waits for a request, or receives one.
        case receiving
        /// The answer is being made.
        case handling
        /// The answer is written; the client has not taken enough of it yet.
        case flushing
        /// The last answer is written; input is thrown away until the client closes.
        case lingering
        case closed
    }

    enum Inbound {
        case part(HTTPServerRequestPart)
        case failure(Rejection)
    }

    /// How long the client of a refused request may take to close: closing at once would reset the
    /// connection while it still sends, and it would never see the answer.
    static let lingerTimeout = TimeAmount.seconds(2)

    let configuration: ServerConfiguration
    let responder: any Responder
    let registry: ConnectionRegistry
    let logger: Logger
    private let refusal: Rejection?
    /// Whether this is a stream of HTTP/2: answers are written as frames, and end the stream.
    let isStream: Bool
    /// Bytes of bodies that were written to the stream and have not gone out.
    var streamBytes = 0

    var phase = Phase.receiving
    var context: ChannelHandlerContext?
    var timer: ConnectionTimer?
    var encoder = ResponseEncoder()
    var task: Task<Void, Never>?
    /// Whether tasks may still come to the event loop; false from when the connection is gone.
    let isOpen = NIOLockedValueBox(true)
    private var assembler: RequestAssembler
    private var generator = RequestIDGenerator()
    var pending = CircularBuffer<Inbound>()
    /// Answers that are made at once would otherwise nest as deep as requests are pipelined.
    private var isTakingPending = false
    var heldRead = false
    /// The body of the request at hand, if it is handed on part by part and has not come whole.
    var streamedInput: StreamedInput?
    /// Bytes of a head have come, the head has not.
    private var sawHeadBytes = false
    /// A request ended in the bytes that are being read; whether the next began in them as well is not known.
    private var endedRequest = false
    private var bodyTimerRuns = false
    /// How much of a body or an answer was left, or there, when its time began.
    var transferMark = 0
    private var isQuiescing = false
    /// Whether the connection stays open after the answer that is being streamed.
    var isStreamKeepAlive = false

    /// A handler for a new connection; one with a refusal gets this answer, and nothing is read.
    init(
        configuration: ServerConfiguration,
        responder: any Responder,
        registry: ConnectionRegistry,
        logger: Logger,
        refusal: Rejection? = nil,
        isStream: Bool = false
    ) {
        self.configuration = configuration
        self.responder = responder
        self.registry = registry
        self.logger = logger
        self.refusal = refusal
        self.isStream = isStream
        assembler = RequestAssembler(
            maxBodyBytes: configuration.maxBodyBytes,
            compresses: configuration.compressionLevel > 0,
            readsOrigin: configuration.cors != nil
        )
    }

    // MARK: Life of the connection

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        timer = ConnectionTimer(eventLoop: context.eventLoop) { [weak self] in self?.timedOut() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        tearDown()
    }

    func channelActive(context: ChannelHandlerContext) {
        // A stream begins with its whole head.
        if !isStream { timer?.set(TimeAmount(configuration.headerTimeout)) }
        if let refusal { reject(refusal) }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        tearDown()
        context.fireChannelInactive()
    }

    private func tearDown() {
        phase = .closed
        isOpen.withLockedValue { $0 = false }
        task?.cancel()
        task = nil
        timer?.cancel()
        pending.removeAll()
        endStreamedInput()
        context = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            isQuiescing = true
            if !isStream, phase == .receiving, !assembler.isReceiving, !sawHeadBytes { close() }
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Input

    func read(context: ChannelHandlerContext) {
        if pending.isEmpty || phase == .lingering || mayReadAhead {
            context.read()
        } else {
            heldRead = true
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch phase {
        case .closed, .lingering: break
        case .handling where streamedInput != nil: takeStreamed(.part(Self.unwrapInboundIn(data)))
        case .receiving where pending.isEmpty: process(.part(Self.unwrapInboundIn(data)))
        case .receiving, .handling, .flushing: pending.append(.part(Self.unwrapInboundIn(data)))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if phase == .receiving, pending.isEmpty {
            if assembler.isReceiving {
                if !bodyTimerRuns {
                    bodyTimerRuns = true
                    expectBody()
                }
            } else if !sawHeadBytes, !endedRequest {
                sawHeadBytes = true
                timer?.set(TimeAmount(configuration.headerTimeout))
            }
        }
        endedRequest = false
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard context.channel.isActive, phase != .closed, phase != .lingering else { return }
        guard let error = error as? HTTPParserError else {
            if !(error is ByteToMessageDecoderError) {
                logger.debug("connection failed", metadata: ["error": "\(error)"])
                close()
            }
            return
        }
        let failure = Inbound.failure(Rejection(error, limit: configuration.maxHeaderBytes))
        if phase == .receiving, pending.isEmpty {
            process(failure)
        } else if phase == .handling, streamedInput != nil {
            takeStreamed(failure)
        } else {
            pending.append(failure)
        }
    }

    private func process(_ item: Inbound) {
        do throws(Rejection) {
            switch item {
            case .part(.head(let head)):
                sawHeadBytes = false
                let action = try assembler.begin(
                    head,
                    generator: &generator,
                    wantsStream: responder.wantsStream
                )
                if configuration.asksBeforeBody, let request = assembler.announced,
                    let refusal = responder.refusal(of: request)
                {
                    return refuse(refusal)
                }
                if action.sendsContinue { sendContinue() }
                if action.isStreamed, let request = assembler.finish() { startStreamed(request) }
            case .part(.body(let part)):
                try assembler.append(part)
            case .part(.end):
                bodyTimerRuns = false
                endedRequest = true
                if let request = assembler.finish() { start(request) }
            case .failure(let rejection):
                throw rejection
            }
        } catch {
            reject(error)
        }
    }

    /// Takes up what waited while the last request was answered.
    func resume() {
        phase = .receiving
        task = nil
        streamedInput = nil
        sawHeadBytes = false
        assembler.clearHead()
        if isQuiescing, pending.isEmpty {
            close()
            return
        }
        timer?.set(TimeAmount(configuration.idleTimeout))
        if !isTakingPending { takePending() }
    }

    private func takePending() {
        isTakingPending = true
        while phase == .receiving, let item = pending.popFirst() {
            process(item)
        }
        isTakingPending = false
        if phase == .receiving, assembler.isReceiving {
            bodyTimerRuns = true
            expectBody()
        }
        if heldRead, pending.isEmpty {
            heldRead = false
            context?.read()
        }
    }

    private func start(_ request: HTTPRequest) {
        guard let eventLoop = context?.eventLoop else { return }
        phase = .handling
        guard requestHead.isPlain else {
            return startCoded(request, on: EventLoopTaskExecutor(eventLoop, isOpen: isOpen))
        }
        // A short body is decoded sooner than another thread is woken for it.
        guard request.body.readableBytes <= configuration.maxInlineBodyBytes else {
            return answerLater(on: nil) { [responder] in await responder.reply(to: request).response }
        }
        let reply = responder.reply(to: request)
        if case .now(let response) = reply, case .bytes = response.body { return answer(response) }
        answerLater(on: EventLoopTaskExecutor(eventLoop, isOpen: isOpen)) { await reply.response }
    }

    func answerLater(
        on executor: EventLoopTaskExecutor?,
        _ response: @escaping @Sendable () async -> HTTPResponse
    ) {
        guard let context else { return }
        timer?.clear()
        let writer = ResponseWriter(connection: self, isOpen: isOpen, eventLoop: context.eventLoop)
        task = Task(executorPreference: executor) { await writer.write(response()) }
    }

    // MARK: Ends

    /// Whether a head has begun to arrive, and how many bytes of a body have; nil between requests.
    var arriving: (isBody: Bool, bytes: Int)? {
        assembler.isReceiving ? (true, assembler.bodyBytes) : sawHeadBytes ? (false, 0) : nil
    }

    /// Answers without a handler, then closes as gently as possible.
    func reject(_ rejection: Rejection) {
        var head = assembler.head
        if head.requestID.isEmpty { head.requestID = generator.next() }
        refuse(responder.reject(rejection, requestID: head.requestID), head: head)
    }

    private func refuse(_ response: HTTPResponse, head: RequestAssembler.Head? = nil) {
        pending.removeAll()
        writeWhole(response, head: head ?? assembler.head, keepAlive: false, lingers: true)
    }

    /// What the answer to the current request has to know of it.
    var requestHead: RequestAssembler.Head { assembler.head }
    /// Whether the connection may stay open after the current answer.
    var mayKeepAlive: Bool {
        assembler.head.keepAlive && !isQuiescing && !registry.isDraining && streamedInput == nil
    }
    /// Whether the connection may stay open after the current answer if the request's body comes whole before its end.
    var mayKeepAliveIfWhole: Bool {
        assembler.head.keepAlive && !isQuiescing && !registry.isDraining && streamedInput != nil
    }
    /// Whether the client has sent more than was read.
    var hasUnreadInput: Bool { !pending.isEmpty || streamedInput != nil }

    func close() {
        phase = .closed
        timer?.cancel()
        context?.close(promise: nil)
    }
}

extension Rejection {
    fileprivate init(_ error: HTTPParserError, limit: Int) {
        switch error {
        case .headerOverflow: self = .headerTooLarge(limit: limit)
        case .invalidVersion: self = .unsupportedVersion
        default: self = .malformed(reason: String(describing: error))
        }
    }
}
