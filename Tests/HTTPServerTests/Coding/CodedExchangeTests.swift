import Coding
import HTTPTestSupport
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTPServer

/// Compressed requests and answers through a whole connection.
@Suite(.timeLimit(.minutes(10))) struct CodedExchangeTests {
    private static let text = String(repeating: "0.25, 0.5, ", count: 1000)

    private func exchange(
        _ responder: FunctionResponder,
        headers: String,
        body: ByteBuffer = ByteBuffer(),
        method: String = "POST"
    ) async throws -> (head: String, body: ByteBuffer) {
        let channel = NIOAsyncTestingChannel()
        var configuration = ServerConfiguration()
        configuration.maxBodyBytes = 1 << 20
        try await channel.testingEventLoop.executeInContext { [configuration] in
            try ConnectionHandler.install(
                on: channel,
                configuration: configuration,
                responder: responder,
                registry: ConnectionRegistry(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        }
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1))
        var request = ByteBuffer(
            string:
                "\(method) / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: \(body.readableBytes)\r\n"
                + headers + "\r\n"
        )
        request.writeImmutableBuffer(body)
        try await channel.writeInbound(request)
        var all = ByteBuffer()
        while !(all.readableBytes > 0 && !channel.isActive) {
            await channel.testingEventLoop.advanceTime(by: .seconds(0))
            while let part = try await channel.readOutbound(as: ByteBuffer.self) {
                all.writeImmutableBuffer(part)
            }
            await Task.yield()
        }
        let view = all.readableBytesView
        let mark = try #require(view.firstRange(of: Array("\r\n\r\n".utf8)))
        return (
            String(decoding: view[..<mark.upperBound], as: UTF8.self), ByteBuffer(view[mark.upperBound...])
        )
    }

    private let inflation = Inflation(maxBytes: 1 << 20, maxRatio: 1000)

    @Test func `a compressed body arrives as it was, without its coding`() async throws {
        let responder = FunctionResponder { request in
            #expect(!request.headers.contains(name: "content-encoding"))
            return HTTPResponse(status: .ok, body: request.body)
        }
        let answer = try await exchange(
            responder,
            headers: "Content-Encoding: gzip\r\n",
            body: coded(ByteBuffer(string: Self.text))
        )
        #expect(answer.head.hasPrefix("HTTP/1.1 200 "))
        #expect(String(buffer: answer.body) == Self.text)
    }

    @Test(arguments: [("br", 415), ("gzip, gzip", 415), ("gzip", 400)])
    func `a body of another coding, or that breaks its own, is refused`(coding: String, status: Int)
        async throws
    {
        let answer = try await exchange(
            echo,
            headers: "Content-Encoding: \(coding)\r\n",
            body: ByteBuffer(string: "no such thing")
        )
        #expect(answer.head.hasPrefix("HTTP/1.1 \(status) "))
    }

    @Test func `a bomb is refused`() async throws {
        let bomb = try coded(ByteBuffer(repeating: UInt8(ascii: "0"), count: 1 << 19))
        let answer = try await exchange(echo, headers: "Content-Encoding: gzip\r\n", body: bomb)
        #expect(answer.head.hasPrefix("HTTP/1.1 413 "))
        #expect(String(buffer: answer.body) == "request body inflates to more than 100 times its size")
    }

    @Test(arguments: ["gzip", "deflate"], [true, false])
    func `an answer is compressed as the client asks`(coding: String, isNow: Bool) async throws {
        let text = Self.text
        let response = HTTPResponse(
            status: .ok,
            headers: ["Content-Type": "application/json"],
            body: ByteBuffer(string: text)
        )
        let responder = FunctionResponder(reply: { _ in isNow ? .now(response) : .later { response } })
        let answer = try await exchange(responder, headers: "Accept-Encoding: \(coding)\r\n")
        #expect(answer.head.contains("\r\nContent-Encoding: \(coding)\r\n"))
        #expect(answer.head.contains("\r\nVary: Accept-Encoding\r\n"))
        #expect(answer.head.contains("\r\nContent-Length: \(answer.body.readableBytes)\r\n"))
        let known = try #require(ContentCoding(rawValue: coding))
        #expect(try String(buffer: inflation.inflate(answer.body, known)) == text)
        let head = try await exchange(responder, headers: "Accept-Encoding: \(coding)\r\n", method: "HEAD")
        #expect(head.body.readableBytes == 0)
        #expect(head.head.contains("\r\nContent-Length: \(answer.body.readableBytes)\r\n"))
    }

    @Test(arguments: [
        ("Accept-Encoding: br\r\n", 5000, "application/json"), ("", 5000, "application/json"),
        ("Accept-Encoding: gzip\r\n", 1023, "application/json"),
        ("Accept-Encoding: gzip\r\n", 5000, "image/png"),
        ("Accept-Encoding: gzip\r\n", 5000, "application/octet-stream"),
    ])
    func `an answer that gains nothing is not compressed`(headers: String, count: Int, type: String)
        async throws
    {
        let body = ByteBuffer(repeating: UInt8(ascii: "x"), count: count)
        let responder = FunctionResponder { _ in
            HTTPResponse(status: .ok, headers: ["Content-Type": type], body: body)
        }
        let answer = try await exchange(responder, headers: headers)
        #expect(!answer.head.lowercased().contains("content-encoding"))
        #expect(answer.body == body)
    }

    @Test func `a stream is compressed part by part`() async throws {
        let text = Self.text
        let responder = FunctionResponder { _ in
            let parts = AsyncStream<ByteBuffer> { source in
                for _ in 0..<4 { source.yield(ByteBuffer(string: text)) }
                source.finish()
            }
            return HTTPResponse(
                status: .ok,
                headers: ["Content-Type": "application/x-ndjson"],
                stream: BodyStream(parts)
            )
        }
        var (head, chunks) = try await exchange(responder, headers: "Accept-Encoding: gzip\r\n")
        #expect(head.contains("\r\nContent-Encoding: gzip\r\n"))
        var body = ByteBuffer()
        while let mark = chunks.readableBytesView.firstRange(of: Array("\r\n".utf8)) {
            let digits = chunks.readString(length: mark.lowerBound - chunks.readerIndex)
            let count = try #require(digits.flatMap { Int($0, radix: 16) })
            chunks.moveReaderIndex(forwardBy: 2)
            let chunk = chunks.readSlice(length: count)
            body.writeImmutableBuffer(try #require(chunk))
            chunks.moveReaderIndex(forwardBy: 2)
        }
        #expect(try String(buffer: inflation.inflate(body, .gzip)) == String(repeating: text, count: 4))
    }
}
