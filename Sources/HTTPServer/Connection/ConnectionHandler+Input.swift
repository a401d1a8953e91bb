import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1

/// A request whose body is handed on part by part.
///
/// Its parts wait with those of pipelined requests, so reading stops while any does. But while the client does not
/// take what is written to it, as much is read as a whole body may have: a client that sends its whole request before
/// it reads an answer would otherwise wait for ever.
struct StreamedInput {
    /// Longer bodies are handed on part by part if the responder wants it, and so are those of unknown length.
    static let minBytes = 64 << 10

    /// Who waits for the next part.
    var waiter: CheckedContinuation<ByteBuffer?, any Error>?
    /// A part of the answer is on its way.
    var isWriting = false
    /// The bytes of the parts that wait.
    var pendingBytes = 0
}

extension ConnectionHandler {
    /// Gives a request to the responder before its body has come.
    func startStreamed(_ request: HTTPRequest) {
        guard let eventLoop = context?.eventLoop else { return }
        phase = .handling
        streamedInput = StreamedInput()
        let body = RequestBody(connection: self, isOpen: isOpen, eventLoop: eventLoop)
        guard requestHead.isPlain else { return startStreamedCoded(request, body) }
        var request = request
        request.stream = body
        answerLater(on: nil) { [responder, request] in await responder.reply(to: request).response }
    }

    /// Whether more may be read although parts wait.
    var mayReadAhead: Bool {
        guard let input = streamedInput else { return false }
        return input.isWriting && input.pendingBytes < configuration.maxBodyBytes
    }

    /// Notes that a part of the answer is on its way, or has gone out.
    func noteWriting(_ isWriting: Bool) {
        guard streamedInput != nil else { return }
        streamedInput?.isWriting = isWriting
        if isWriting { releaseRead() } else if streamedInput?.waiter != nil { setBodyTimer() }
    }

    /// Keeps a part of the body, or what ends it, and hands it to whoever waits for it.
    func takeStreamed(_ item: Inbound) {
        pending.append(item)
        if case .part(.body(let bytes)) = item { streamedInput?.pendingBytes += bytes.readableBytes }
        guard let waiter = streamedInput?.waiter else { return }
        streamedInput?.waiter = nil
        timer?.clear()
        giveNextPart(to: waiter)
    }

    /// Gives what has come of the body, once something has.
    func giveNextPart(to waiter: CheckedContinuation<ByteBuffer?, any Error>) {
        guard phase == .handling else { return waiter.resume(throwing: ChannelError.ioOnClosedChannel) }
        // Behind the end of the body there is nothing.
        guard streamedInput != nil else { return waiter.resume(returning: nil) }
        var part = ByteBuffer()
        while case .part(.body(let bytes))? = pending.first {
            pending.removeFirst()
            if part.readableBytes == 0 { part = bytes } else { part.writeImmutableBuffer(bytes) }
        }
        if part.readableBytes > 0 {
            streamedInput?.pendingBytes = 0
            releaseRead()
            return waiter.resume(returning: part)
        }
        switch pending.popFirst() {
        case .part(.end)?:
            streamedInput = nil
            releaseRead()
            waiter.resume(returning: nil)
        case .failure(let rejection)?: waiter.resume(throwing: rejection)
        default:
            streamedInput?.waiter = waiter
            setBodyTimer()
            releaseRead()
        }
    }

    /// The connection is gone.
    func endStreamedInput() {
        let waiter = streamedInput?.waiter
        streamedInput = nil
        waiter?.resume(throwing: ChannelError.ioOnClosedChannel)
    }

    private func setBodyTimer() { timer?.set(TimeAmount(configuration.bodyTimeout)) }

    private func releaseRead() {
        guard heldRead, pending.isEmpty || mayReadAhead else { return }
        heldRead = false
        context?.read()
    }
}

extension RequestBody {
    /// The body that a connection receives; made on its event loop.
    fileprivate init(connection: ConnectionHandler, isOpen: NIOLockedValueBox<Bool>, eventLoop: any EventLoop)
    {
        let bound = NIOLoopBound(connection, eventLoop: eventLoop)
        self.init {
            try await withCheckedThrowingContinuation { waiter in
                let isOnItsWay = isOpen.withLockedValue { isOpen in
                    if isOpen { eventLoop.execute { bound.value.giveNextPart(to: waiter) } }
                    return isOpen
                }
                if !isOnItsWay { waiter.resume(throwing: ChannelError.ioOnClosedChannel) }
            }
        }
    }
}
