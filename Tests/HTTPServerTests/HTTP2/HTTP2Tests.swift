import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP1
import NIOHTTP2
import Testing

@testable import HTTPServer

@Suite(.timeLimit(.minutes(10))) struct HTTP2Tests {
    /// Keeps the bytes that come through.
    private final class Sink: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var received = ByteBuffer()

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.writeImmutableBuffer(Self.unwrapInboundIn(data))
        }
    }

    /// What a detector makes of some bytes, in pieces: whether it is HTTP/2, what came through, whether it has gone.
    private func detected(_ pieces: [[UInt8]]) throws -> (isHTTP2: Bool, through: [UInt8], isGone: Bool) {
        let channel = EmbeddedChannel()
        let sink = Sink()
        var isHTTP2 = false
        let detector = HTTP2Detector(isSecure: false) { _ in isHTTP2 = true }
        try channel.pipeline.syncOperations.addHandlers([detector, sink])
        for piece in pieces { try channel.writeInbound(ByteBuffer(bytes: piece)) }
        channel.embeddedEventLoop.run()
        let isGone = (try? channel.pipeline.syncOperations.handler(type: HTTP2Detector.self)) == nil
        let bytes = Array(sink.received.readableBytesView)
        _ = try channel.finish(acceptAlreadyClosed: true)
        return (isHTTP2, bytes, isGone)
    }

    @Test func `a preface is one however it is cut, and every byte comes through`() throws {
        let bytes = HTTP2Detector.preface + [0, 0, 0, 4, 0, 0, 0, 0, 0]
        for cut in 0...bytes.count {
            let found = try detected([Array(bytes[..<cut]), Array(bytes[cut...])].filter { !$0.isEmpty })
            #expect(found.isHTTP2 && found.isGone && found.through == bytes)
        }
        let single = try detected(bytes.map { [$0] })
        #expect(single.isHTTP2 && single.isGone && single.through == bytes)
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "P", "PR", "PRI * HTTP/1.1\r\n",
        "PRI * HTTP/2.0\r\n\r\nSN",
        "\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ])
    func `what is not a preface comes through as soon as that is known`(text: String) throws {
        let bytes = Array(text.utf8)
        for found in [try detected([bytes]), try detected(bytes.map { [$0] })] {
            #expect(!found.isHTTP2)
            let isUndecided = HTTP2Detector.preface.starts(with: bytes)
            #expect(found.isGone == !isUndecided)
            #expect(found.through == (isUndecided ? [] : bytes))
        }
    }

    @Test func `a head is what it would be in the older version`() {
        let block: HPACKHeaders = [
            ":method": "POST", ":scheme": "https", ":path": "/a?b", ":authority": "h:1", "accept": "x",
            "Cookie": "y",
        ]
        let head = HTTPRequestHead(block, hasBody: true)
        #expect(head.method == .POST && head.uri == "/a?b" && head.version == .http1_1)
        #expect(head.headers["host"] == ["h:1"])
        #expect(head.headers["transfer-encoding"] == ["chunked"])
        #expect(head.headers["accept"] == ["x"])
        #expect(!head.headers.contains { $0.name.hasPrefix(":") })
        #expect(!HTTPRequestHead(block, hasBody: false).headers.contains(name: "transfer-encoding"))
        var sized = block
        sized.add(name: "content-length", value: "5")
        #expect(!HTTPRequestHead(sized, hasBody: true).headers.contains(name: "transfer-encoding"))
    }

    @Test func `an authority and another host are two hosts, and equal ones are one`() {
        var block: HPACKHeaders = [":method": "GET", ":scheme": "http", ":path": "/", ":authority": "a"]
        block.add(name: "host", value: "a")
        #expect(HTTPRequestHead(block, hasBody: false).headers["host"] == ["a"])
        block.add(name: "host", value: "b")
        #expect(HTTPRequestHead(block, hasBody: false).headers["host"] == ["a", "b"])
    }

    @Test func `an answer's fields are in lower case, clean, and none breaks the framing`() {
        var encoder = ResponseEncoder()
        let response = HTTPResponse(
            status: .created,
            headers: [
                "Content-Type": "text/plain", "Connection": "close", "Transfer-Encoding": "chunked",
                "X-A": "b\r\nc: d",
                "Content-Length": "9", "Date": "never", "X-Request-Id": "other",
            ]
        )
        let fields = encoder.fields(of: response, length: 3, requestID: "r")
        #expect(
            fields.map(\.name) == [
                ":status", "content-type", "x-a", "content-length", "x-request-id", "date",
            ]
        )
        #expect(fields.first(name: ":status") == "201")
        #expect(fields.first(name: "x-a") == "b  c: d")
        #expect(fields.first(name: "content-length") == "3")
        #expect(fields.first(name: "x-request-id") == "r")
        #expect(!encoder.fields(of: response, length: nil, requestID: "r").contains(name: "content-length"))
    }
}
