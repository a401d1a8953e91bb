import HTTPTestSupport
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import HTTPServer

@Suite(.timeLimit(.minutes(10))) struct ResponseWriterTests {
    /// NIO calls the use of a loop that has ended a fault: with `SWIFTNIO_STRICT` set it ends the process.
    @Test func `an answer that comes after the end of its event loop goes nowhere`() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let isOpen = NIOLockedValueBox(true)
        let writer = try await loop.submit {
            let connection = ConnectionHandler(
                configuration: ServerConfiguration(),
                responder: echo,
                registry: ConnectionRegistry(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            return ResponseWriter(connection: connection, isOpen: isOpen, eventLoop: loop)
        }.get()
        isOpen.withLockedValue { $0 = false }
        try await group.shutdownGracefully()

        await writer.write(HTTPResponse(status: .ok, body: ByteBuffer(string: "late")))
        let isAsked = NIOLockedValueBox(false)
        let stream = BodyStream {
            isAsked.withLockedValue { $0 = true }
            return nil
        }
        await writer.write(HTTPResponse(status: .ok, stream: stream))
        #expect(!isAsked.withLockedValue { $0 })
    }
}
