import HTTPTestSupport
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPServer

/// The handler on a channel without a socket, whose clock the test moves.
@Suite struct ConnectionHandlerTests {
    private let configuration: ServerConfiguration = {
        var configuration = ServerConfiguration()
        configuration.maxHeaderBytes = 500
        configuration.maxBodyBytes = 100
        return configuration
    }()

    private func connect(_ responder: FunctionResponder = echo) async throws -> NIOAsyncTestingChannel {
        let channel = NIOAsyncTestingChannel()
        let registry = ConnectionRegistry()
        try await channel.testingEventLoop.executeInContext {
            try ConnectionHandler.install(
                on: channel,
                configuration: configuration,
                responder: responder,
                registry: registry,
                logger: Logger(label: "test")
            )
        }
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1))
        return channel
    }

    private func answer(_ channel: NIOAsyncTestingChannel) async throws -> String {
        String(buffer: try await channel.waitForOutboundWrite(as: ByteBuffer.self))
    }

    @Test func `a request cut at any byte is the same request`() async throws {
        let text =
            "POST /a HTTP/1.1\r\nHost: h\r\nX-Request-Id: r\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        for cut in 1..<text.utf8.count {
            let channel = try await connect()
            try await channel.writeInbound(ByteBuffer(string: String(text.prefix(cut))))
            try await channel.writeInbound(ByteBuffer(string: String(text.dropFirst(cut))))
            let answer = try await answer(channel)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"), "cut at \(cut)")
            #expect(answer.hasSuffix("\r\n\r\nPOST /a abc"), "cut at \(cut)")
            _ = try? await channel.finish()
        }
    }

    @Test(arguments: [
        ("", 10, ""), ("GET / HT", 10, "408"),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab", 60, "408"),
    ])
    func `a request that does not come in time ends the connection`(
        sent: String,
        seconds: Int64,
        status: String
    ) async throws {
        let channel = try await connect()
        if !sent.isEmpty { try await channel.writeInbound(ByteBuffer(string: sent)) }
        await channel.testingEventLoop.advanceTime(by: .seconds(seconds) - .milliseconds(1))
        #expect(try await channel.readOutbound(as: ByteBuffer.self) == nil)
        #expect(channel.isActive)
        await channel.testingEventLoop.advanceTime(by: .milliseconds(1))
        if !status.isEmpty {
            let answer = try await answer(channel)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
            #expect(answer.contains("\r\nConnection: close\r\n"))
        }
        await channel.testingEventLoop.advanceTime(by: ConnectionHandler.lingerTimeout)
        #expect(!channel.isActive)
    }

    @Test func `slow bytes do not move the header's deadline`() async throws {
        let channel = try await connect()
        for byte in "GET / HTTP".utf8 {
            try await channel.writeInbound(ByteBuffer(bytes: [byte]))
            await channel.testingEventLoop.advanceTime(by: .seconds(1))
        }
        #expect(try await answer(channel).hasPrefix("HTTP/1.1 408 "))
        _ = try? await channel.finish()
    }

    @Test func `a connection rests between requests for the idle timeout`() async throws {
        let channel = try await connect()
        try await channel.writeInbound(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: h\r\n\r\n"))
        _ = try await answer(channel)
        await channel.testingEventLoop.advanceTime(by: .seconds(74))
        #expect(channel.isActive)
        await channel.testingEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: h\r\nX: \(String(repeating: "a", count: 600))\r\n\r\n", 431),
        ("GET /\(String(repeating: "a", count: 600)) HTTP/1.1\r\nHost: h\r\n\r\n", 431),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: \(String(repeating: "a", count: 600))", 431),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n\(String(repeating: "a", count: 101))\r\n",
            413
        ),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505), ("PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n", 505),
        ("NONSENSE / HTTP/1.1\r\nHost: h\r\n\r\n", 400), ("\0\0\0\0", 400),
        ("GET / HTTP/1.1\r\n: x\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n", 400),
        ("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nExpect: miracle\r\n\r\n", 417),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", 400),
    ])
    func `what is not a good request is refused and the connection closed`(
        sent: String,
        status: Int
    ) async throws {
        let channel = try await connect()
        _ = try? await channel.writeInbound(ByteBuffer(string: sent))
        let answer = try await answer(channel)
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        #expect(answer.contains("\r\nConnection: close\r\n"))
        await channel.testingEventLoop.advanceTime(by: ConnectionHandler.lingerTimeout)
        #expect(!channel.isActive)
    }

    @Test func `random changes to a request never break the handler`() async throws {
        let text =
            "POST /v1/models/m:predict HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbodyGET / HTTP/1.1\r\nHost: h\r\n\r\n"
        var state: UInt64 = 42
        for _ in 0..<2000 {
            var bytes = Array(text.utf8)
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 20)
            }
            let channel = try await connect()
            _ = try? await channel.writeInbound(ByteBuffer(bytes: bytes))
            _ = try? await channel.finish()
        }
    }
}
