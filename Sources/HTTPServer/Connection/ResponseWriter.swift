import NIOCore

/// Brings an answer from the task that made it to the connection's event loop.
struct ResponseWriter: Sendable {
    let eventLoop: any EventLoop
    let connection: NIOLoopBound<ConnectionHandler>

    /// Writes the answer; returns when all of a streamed one has gone out, or the client has.
    func write(_ response: HTTPResponse) async {
        switch response.body {
        case .bytes:
            eventLoop.execute { [connection] in connection.value.answer(response) }
        case .stream(let stream):
            await write(response, stream)
        }
    }

    private func write(_ response: HTTPResponse, _ stream: BodyStream) async {
        let begun = eventLoop.submit { [connection] in connection.value.beginStream(response) }
        guard let framing = try? await begun.get() else { return }
        let next = stream.makeIterator()
        var isWhole = true
        do {
            while let part = try await next() {
                guard part.readableBytes > 0 else { continue }
                try await write(part, framing)
            }
        } catch {
            isWhole = false
        }
        eventLoop.execute { [connection, isWhole] in
            connection.value.endStream(isWhole: isWhole, framing: framing)
        }
    }

    private func write(_ part: ByteBuffer, _ framing: ResponseEncoder.Framing) async throws {
        let written = eventLoop.flatSubmit { [connection, eventLoop] in
            connection.value.writePart(part, framing: framing)
                ?? eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        try await written.get()
    }
}
