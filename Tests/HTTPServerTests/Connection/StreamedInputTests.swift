import HTTPTestSupport
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import HTTPServer

/// Takes every body part by part.
private struct StreamResponder: Responder {
    let answer: @Sendable (RequestBody) -> HTTPResponse

    func wantsStream(_ request: HTTPRequest) -> Bool { request.method == .POST }

    func reply(to request: HTTPRequest) -> Reply {
        guard let body = request.stream else {
            return .now(
                HTTPResponse(status: .ok, body: ByteBuffer(string: "whole \(request.body.readableBytes)"))
            )
        }
        return .later { answer(body) }
    }

    func reject(_ rejection: Rejection, requestID: String) -> HTTPResponse {
        HTTPResponse(status: rejection.status, body: ByteBuffer(string: "\(rejection)"))
    }

    /// Sends every part back.
    static let echo = StreamResponder { body in
        HTTPResponse(status: .ok, stream: BodyStream { try await body.next() })
    }
}

@Suite(.timeLimit(.minutes(10))) struct StreamedInputTests {
    private static let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

    @Test func `every part is answered before the next one is sent, and the connection goes on`() async throws
    {
        try await TestServer.run(StreamResponder.echo) { server in
            let client = try await server.client()
            for _ in 0..<3 {
                await client.send(Self.head)
                #expect(await client.receive(through: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
                for number in 0..<5 {
                    await client.send("2\r\n\(number)\n\r\n")
                    #expect(await client.receive(through: "\(number)\n\r\n") == "2\r\n\(number)\n\r\n")
                }
                await client.send("0\r\n\r\n")
                #expect(await client.receive(through: "0\r\n\r\n") == "0\r\n\r\n")
            }
            #expect(await client.request("GET", "/")?.status == 200)
        }
    }

    @Test func `a body over the limit is taken part by part, a short one whole`() async throws {
        var configuration = ServerConfiguration()
        configuration.maxBodyBytes = StreamedInput.minBytes + 10
        try await TestServer.run(StreamResponder.echo, configuration: configuration) { server in
            let client = try await server.client()
            let short = await client.request("POST", "/", body: String(repeating: "x", count: 100))
            #expect(short?.body == "whole 100")
            let long = String(repeating: "y", count: 3 * StreamedInput.minBytes)
            let answer = await client.request("POST", "/", body: long)
            #expect(answer?.parts.joined() == long)
            #expect(answer?.isWhole == true)
        }
    }

    @Test func `what comes behind the body is the next request`() async throws {
        try await TestServer.run(StreamResponder.echo) { server in
            let client = try await server.client()
            await client.send(Self.head + "3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
            let first = await client.response()
            #expect(first?.parts.joined() == "abc")
            let second = await client.response()
            #expect(second?.body == "whole 0")
        }
    }

    @Test func `an answer that does not wait for the body ends the connection`() async throws {
        let hasty = StreamResponder { _ in HTTPResponse(status: .notFound, body: ByteBuffer(string: "no")) }
        try await TestServer.run(hasty) { server in
            let client = try await server.client()
            await client.send(Self.head + "3\r\nabc\r\n")
            let answer = await client.receive(through: "\r\n\r\nno")
            #expect(answer.hasPrefix("HTTP/1.1 404") && answer.contains("Connection: close"))
            await client.close()
        }
    }

    @Test func `a client that goes away ends the body`() async throws {
        let (ends, source) = AsyncStream.makeStream(of: Bool.self)
        let waiting = StreamResponder { body in
            HTTPResponse(
                status: .ok,
                stream: BodyStream {
                    do {
                        return try await body.next()
                    } catch {
                        source.yield(error is ChannelError)
                        throw error
                    }
                }
            )
        }
        try await TestServer.run(waiting) { server in
            let client = try await server.client()
            await client.send(Self.head + "3\r\nabc\r\n")
            _ = await client.receive(through: "abc")
            await client.reset()
            var iterator = ends.makeAsyncIterator()
            #expect(await iterator.next() == true)
        }
    }

    @Test func `a body that is not HTTP ends the stream without an end`() async throws {
        try await TestServer.run(StreamResponder.echo) { server in
            let client = try await server.client()
            await client.send(Self.head + "3\r\nabc\r\nnot hexadecimal\r\n")
            let text = await client.receiveToEnd()
            #expect(text.contains("abc") && !text.hasSuffix("0\r\n\r\n"))
        }
    }

    @Test func `a client that stops sending is waited for no longer than a body may take`() async throws {
        var configuration = ServerConfiguration()
        configuration.bodyTimeout = .milliseconds(50)
        try await TestServer.run(StreamResponder.echo, configuration: configuration) { server in
            let client = try await server.client()
            await client.send(Self.head + "3\r\nabc\r\n")
            let text = await client.receiveToEnd()
            #expect(text.contains("abc") && !text.hasSuffix("0\r\n\r\n"))
        }
    }
}
