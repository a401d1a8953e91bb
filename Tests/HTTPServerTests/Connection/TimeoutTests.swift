import HTTPTestSupport
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPServer

/// Times of a connection on a clock that the test moves.
@Suite struct TimeoutTests {
    private static let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"

    private func connect(_ responder: FunctionResponder) async throws -> NIOAsyncTestingChannel {
        let channel = NIOAsyncTestingChannel()
        try await channel.testingEventLoop.executeInContext {
            try ConnectionHandler.install(
                on: channel,
                configuration: ServerConfiguration(),
                responder: responder,
                registry: ConnectionRegistry(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        }
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1))
        return channel
    }

    private func send(_ text: String, to channel: NIOAsyncTestingChannel) async throws {
        try await channel.writeInbound(ByteBuffer(string: text))
    }

    @Test(arguments: [echo, echoAtOnce])
    func `after an answer a connection rests for the idle timeout and is closed without a word`(
        responder: FunctionResponder
    ) async throws {
        let channel = try await connect(responder)
        for _ in 0..<3 {
            try await send("GET / HTTP/1.1\r\nHost: h\r\n\r\n", to: channel)
            _ = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
            await channel.testingEventLoop.advanceTime(by: .milliseconds(74_999))
            #expect(channel.isActive)
        }
        await channel.testingEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!channel.isActive)
        #expect(try await channel.readOutbound(as: ByteBuffer.self) == nil)
    }

    @Test(arguments: [echo, echoAtOnce])
    func `the head of a later request has the header's time from its first byte`(
        responder: FunctionResponder
    ) async throws {
        let channel = try await connect(responder)
        try await send("GET / HTTP/1.1\r\nHost: h\r\n\r\n", to: channel)
        _ = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
        await channel.testingEventLoop.advanceTime(by: .seconds(70))
        try await send("GET", to: channel)
        await channel.testingEventLoop.advanceTime(by: .milliseconds(9_999))
        #expect(try await channel.readOutbound(as: ByteBuffer.self) == nil)
        await channel.testingEventLoop.advanceTime(by: .milliseconds(1))
        let answer = String(buffer: try await channel.waitForOutboundWrite(as: ByteBuffer.self))
        #expect(answer.hasPrefix("HTTP/1.1 408 "))
        #expect(answer.hasSuffix("request line and header fields did not arrive within 10.0 seconds"))
        _ = try? await channel.finish()
    }

    @Test func `a long body may take long as long as it keeps coming`() async throws {
        let channel = try await connect(echo)
        try await send(Self.head, to: channel)
        let part = String(repeating: "a", count: ConnectionHandler.leastTransfer)
        for _ in 0..<5 {
            await channel.testingEventLoop.advanceTime(by: .seconds(59))
            try await send(part, to: channel)
            await channel.testingEventLoop.advanceTime(by: .seconds(1))
            #expect(try await channel.readOutbound(as: ByteBuffer.self) == nil)
        }
        try await send(String(part.dropLast()), to: channel)
        await channel.testingEventLoop.advanceTime(by: .seconds(60))
        let answer = String(buffer: try await channel.waitForOutboundWrite(as: ByteBuffer.self))
        #expect(answer.hasPrefix("HTTP/1.1 408 "))
        #expect(answer.hasSuffix("request body did not keep arriving for 60.0 seconds"))
        _ = try? await channel.finish()
    }

    @Test func `a body of slow bytes is given up`() async throws {
        let channel = try await connect(echo)
        try await send(Self.head, to: channel)
        for _ in 0..<59 {
            await channel.testingEventLoop.advanceTime(by: .seconds(1))
            try await send("a", to: channel)
            #expect(try await channel.readOutbound(as: ByteBuffer.self) == nil)
        }
        await channel.testingEventLoop.advanceTime(by: .seconds(1))
        let answer = String(buffer: try await channel.waitForOutboundWrite(as: ByteBuffer.self))
        #expect(answer.hasPrefix("HTTP/1.1 408 "))
        _ = try? await channel.finish()
    }
}

/// Clients that do not take their answers, on real sockets: the kernel's buffers are part of it.
@Suite(.timeLimit(.minutes(10))) struct SlowReaderTests {
    private static let big = ByteBuffer(repeating: UInt8(ascii: "x"), count: 32 << 20)

    private func configuration() -> ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.writeTimeout = .milliseconds(20)
        return configuration
    }

    @Test(arguments: [false, true])
    func `a client that does not read is cut off`(isStream: Bool) async throws {
        for connection in ["keep-alive", "close"] {
            let isAsked = NIOLockedValueBox(false)
            let responder = FunctionResponder { _ in
                isAsked.withLockedValue { $0 = true }
                return isStream
                    ? HTTPResponse(status: .ok, stream: BodyStream { Self.big })
                    : HTTPResponse(status: .ok, body: Self.big)
            }
            try await TestServer.run(responder, configuration: configuration()) { server in
                let client = try await server.client(reads: false)
                await client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: \(connection)\r\n\r\n")
                while !isAsked.withLockedValue({ $0 }) { await Task.yield() }
                while server.server.connectionCount > 0 { await Task.yield() }
                await client.close()
            }
        }
    }
}
