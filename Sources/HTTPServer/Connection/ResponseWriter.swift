import NIOConcurrencyHelpers
import NIOCore

/// Brings an answer from the task that made it to the connection's event loop.
///
/// The task may outlive the connection, and with a server that stops even the event loop, which nobody may call
/// any more. Loops end after their connections; so the way there is open only as long as the connection is.
struct ResponseWriter: Sendable {
    private let eventLoop: any EventLoop
    private let connection: NIOLoopBound<ConnectionHandler>
    private let isOpen: NIOLockedValueBox<Bool>

    /// A writer for one request; made on the event loop.
    ///
    /// - Parameters:
    ///   - connection: Where the answer goes.
    ///   - isOpen: Set to false by the connection, on its loop, when it is gone.
    ///   - eventLoop: The connection's loop.
    init(connection: ConnectionHandler, isOpen: NIOLockedValueBox<Bool>, eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.connection = NIOLoopBound(connection, eventLoop: eventLoop)
        self.isOpen = isOpen
    }

    /// Writes the answer; returns when all of a streamed one has gone out, or the client has.
    func write(_ response: HTTPResponse) async {
        switch response.body {
        case .bytes:
            _ = execute { $0.answer(response) }
        case .stream(let stream):
            await write(response, stream)
        }
    }

    private func write(_ response: HTTPResponse, _ stream: BodyStream) async {
        let begun: ResponseEncoder.Framing? = await withCheckedContinuation { continuation in
            let isOnItsWay = execute { continuation.resume(returning: $0.beginStream(response)) }
            if !isOnItsWay { continuation.resume(returning: nil) }
        }
        guard let framing = begun else { return }
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
        _ = execute { [isWhole] in $0.endStream(isWhole: isWhole, framing: framing) }
    }

    private func write(_ part: ByteBuffer, _ framing: ResponseEncoder.Framing) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let isOnItsWay = execute { connection in
                guard let written = connection.writePart(part, framing: framing) else {
                    continuation.resume(throwing: ChannelError.ioOnClosedChannel)
                    return
                }
                written.whenComplete { continuation.resume(with: $0) }
            }
            if !isOnItsWay { continuation.resume(throwing: ChannelError.ioOnClosedChannel) }
        }
    }

    /// Runs `body` on the event loop, at once if that is where the task is, unless the connection is gone.
    ///
    /// - Returns: Whether it is on its way; what is arrives, as the loop runs at least until the connection ends.
    private func execute(_ body: @escaping @Sendable (ConnectionHandler) -> Void) -> Bool {
        guard !eventLoop.inEventLoop else {
            body(connection.value)
            return true
        }
        return isOpen.withLockedValue { isOpen in
            if isOpen { eventLoop.execute { [connection] in body(connection.value) } }
            return isOpen
        }
    }
}
