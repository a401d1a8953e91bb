import NIOCore
import NIOHTTP1

extension ConnectionHandler {
    func sendContinue() {
        guard !isStream else { return writeStreamContinue() }
        guard let context else { return }
        context.writeAndFlush(
            Self.wrapOutboundOut(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")),
            promise: nil
        )
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if phase == .flushing, context.channel.isWritable { resume() }
        context.fireChannelWritabilityChanged()
    }

    /// Writes an answer of known length and goes on to the next request, or ends the connection.
    func writeWhole(_ response: HTTPResponse, head: RequestAssembler.Head, keepAlive: Bool, lingers: Bool) {
        guard let context, phase != .closed else { return }
        let response = opened(response, head)
        var body = ByteBuffer()
        if case .bytes(let bytes) = response.body { body = bytes }
        let mayHaveBody = response.status.mayHaveResponseBody
        let sendsBody = mayHaveBody && !head.isHead && body.readableBytes > 0
        if isStream {
            writeStreamHead(response, length: mayHaveBody ? body.readableBytes : nil, endsStream: !sendsBody)
            return finishStream(with: sendsBody ? body : nil)
        }
        let isInline = sendsBody && body.readableBytes <= ResponseEncoder.maxInlineBodyBytes
        var bytes = encoder.encode(
            response,
            framing: mayHaveBody ? .length(body.readableBytes) : .none,
            head: head,
            keepAlive: keepAlive,
            reserving: isInline ? body.readableBytes : 0,
            allocator: context.channel.allocator
        )
        if isInline { bytes.writeImmutableBuffer(body) }
        if sendsBody, !isInline {
            context.write(Self.wrapOutboundOut(bytes), promise: nil)
            bytes = body
        }
        finish(with: bytes, keepAlive: keepAlive, lingers: lingers)
    }

    /// Writes the last bytes of an answer.
    func finish(with bytes: ByteBuffer, keepAlive: Bool, lingers: Bool) {
        guard let context else { return }
        if keepAlive {
            context.writeAndFlush(Self.wrapOutboundOut(bytes), promise: nil)
            guard phase != .closed else { return }
            if context.channel.isWritable {
                resume()
            } else {
                phase = .flushing
                expectWrite()
            }
            return
        }
        phase = .lingering
        expectWrite(bytes.readableBytes)
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [weak self] _ in
            self?.shutOutput(lingers: lingers)
        }
        context.writeAndFlush(Self.wrapOutboundOut(bytes), promise: promise)
    }

    private func shutOutput(lingers: Bool) {
        guard let context, phase == .lingering else { return }
        guard lingers else {
            close()
            return
        }
        timer?.set(Self.lingerTimeout)
        context.close(mode: .output, promise: nil)
        context.read()
    }

    /// The answer as a page of another site may need it.
    private func opened(_ response: HTTPResponse, _ head: RequestAssembler.Head) -> HTTPResponse {
        guard let question = head.question, let cors = configuration.cors else { return response }
        return cors.apply(to: response, question)
    }

    // MARK: Called when the answer is there

    /// Writes an answer whose body is known.
    func answer(_ response: HTTPResponse) {
        guard phase == .handling else { return }
        writeWhole(response, head: requestHead, keepAlive: mayKeepAlive, lingers: hasUnreadInput)
    }

    /// Writes the head of a streamed answer.
    ///
    /// - Returns: How the parts are framed; nil if none are wanted.
    func beginStream(_ response: HTTPResponse) -> ResponseEncoder.Framing? {
        guard let context, phase == .handling else { return nil }
        let head = requestHead
        guard response.status.mayHaveResponseBody else {
            answer(HTTPResponse(status: response.status, headers: response.headers))
            return nil
        }
        let response = opened(response, head)
        if isStream {
            writeStreamHead(response, length: nil, endsStream: head.isHead)
            if head.isHead { finishStream(with: nil) } else { context.flush() }
            return head.isHead ? nil : .close
        }
        let framing = head.isVersion10 ? ResponseEncoder.Framing.close : .chunked
        // A body that is still coming may have come by the end of the answer.
        let keepAlive = (mayKeepAlive || mayKeepAliveIfWhole) && framing == .chunked
        isStreamKeepAlive = keepAlive
        let bytes = encoder.encode(
            response,
            framing: framing,
            head: head,
            keepAlive: keepAlive,
            reserving: 0,
            allocator: context.channel.allocator
        )
        if head.isHead {
            finish(with: bytes, keepAlive: keepAlive, lingers: hasUnreadInput)
            return nil
        }
        context.writeAndFlush(Self.wrapOutboundOut(bytes), promise: nil)
        return framing
    }

    /// Writes one part of a streamed answer; what it returns succeeds when the client has taken it, fails when
    /// it is gone, and is nil if it was gone before.
    func writePart(_ part: ByteBuffer, framing: ResponseEncoder.Framing) -> EventLoopFuture<Void>? {
        guard let context, phase == .handling else { return nil }
        let promise = context.eventLoop.makePromise(of: Void.self)
        expectWrite(part.readableBytes)
        noteWriting(true)
        promise.futureResult.assumeIsolated().whenComplete { [weak self] _ in
            if self?.phase == .handling { self?.timer?.clear() }
            self?.noteWriting(false)
        }
        if isStream {
            writeStreamBody(part, endsStream: false, promise: promise)
            return promise.futureResult
        }
        let bytes =
            framing == .chunked
            ? ResponseEncoder.chunk(part, allocator: context.channel.allocator) : part
        context.writeAndFlush(Self.wrapOutboundOut(bytes), promise: promise)
        return promise.futureResult
    }

    /// Ends a streamed answer; if it is not whole, the connection breaks off, so that the client sees it.
    func endStream(isWhole: Bool, framing: ResponseEncoder.Framing) {
        guard phase == .handling else { return }
        guard isWhole else {
            close()
            return
        }
        guard !isStream else { return finishStream(with: ByteBuffer()) }
        let end = framing == .chunked ? ByteBuffer(staticString: "0\r\n\r\n") : ByteBuffer()
        let keepAlive = isStreamKeepAlive && streamedInput == nil
        finish(with: end, keepAlive: keepAlive, lingers: hasUnreadInput)
    }
}
