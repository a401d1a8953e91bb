import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import HTTPServer

/// A connection without a socket: bytes in, bytes out.
enum Connection {
    private struct Echo: Responder {
        func reply(to request: HTTPRequest) -> Reply {
            .now(HTTPResponse(status: .ok, body: request.body))
        }

        func reject(_ rejection: Rejection, requestID: String) -> HTTPResponse {
            // Of a head that is too long and wrong behind that, either may be told.
            switch rejection {
            case .malformed, .headerTooLarge: HTTPResponse(status: .badRequest)
            default: HTTPResponse(status: .badRequest, body: ByteBuffer(string: "\(rejection)"))
            }
        }
    }

    /// Wherever the bytes of requests are cut, the answers are the same.
    static func compare(_ text: [UInt8], cut: Int) {
        law(answers([text]) == answers([Array(text[..<cut]), Array(text[cut...])]), "connections")
    }

    /// All that is answered to some pieces, but for the lines that differ each time.
    private static func answers(_ pieces: [[UInt8]]) -> [String] {
        var configuration = ServerConfiguration()
        configuration.maxHeaderBytes = 500
        configuration.maxBodyBytes = 1000
        let channel = EmbeddedChannel()
        let registry = ConnectionRegistry()
        do {
            try ConnectionHandler.install(
                on: channel,
                configuration: configuration,
                responder: Echo(),
                registry: registry,
                logger: Logger(label: "fuzz", factory: { _ in SwiftLogNoOpLogHandler() })
            )
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            for piece in pieces where !piece.isEmpty { try channel.writeInbound(ByteBuffer(bytes: piece)) }
        } catch {
            // What the decoder refuses is answered all the same.
        }
        var written = ByteBuffer()
        while let part = try? channel.readOutbound(as: ByteBuffer.self) { written.writeImmutableBuffer(part) }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        while let part = try? channel.readOutbound(as: ByteBuffer.self) { written.writeImmutableBuffer(part) }
        return String(buffer: written).split(separator: "\r\n").map(String.init)
            .filter { !$0.hasPrefix("X-Request-Id: ") && !$0.hasPrefix("Date: ") }
    }
}
