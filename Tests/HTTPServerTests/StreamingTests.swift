import HTTPServer
import HTTPTestSupport
import Logging
import NIOCore
import Testing

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

@Suite(.timeLimit(.minutes(10))) struct StreamingTests {
    private struct Broken: Error {}

    private func lines(_ count: Int, breaksAt: Int? = nil) -> FunctionResponder {
        FunctionResponder { _ in
            let parts = AsyncThrowingStream<ByteBuffer, any Error> { source in
                for index in 0..<count {
                    if index == breaksAt {
                        source.finish(throwing: Broken())
                        return
                    }
                    source.yield(ByteBuffer(string: "line \(index)\n"))
                    source.yield(ByteBuffer())
                }
                source.finish()
            }
            return HTTPResponse(status: .ok, stream: BodyStream(parts))
        }
    }

    @Test func `a stream arrives in its parts and the connection goes on`() async throws {
        try await TestServer.run(lines(100)) { server in
            let client = try await server.client()
            for _ in 0..<3 {
                let answer = try #require(await client.request("GET", "/"))
                #expect(answer.parts == (0..<100).map { "line \($0)\n" })
                #expect(answer.isWhole)
            }
            #expect(await client.request("HEAD", "/")?.status == 200)
            #expect(await client.request("GET", "/")?.parts.count == 100)
        }
    }

    @Test func `a stream that fails breaks off without an end`() async throws {
        try await TestServer.run(lines(10, breaksAt: 3)) { server in
            let client = try await server.client()
            let answer = try #require(await client.request("GET", "/"))
            #expect(answer.parts.count == 3)
            #expect(!answer.isWhole)
        }
    }

    @Test func `an old client gets the stream up to the end of the connection`() async throws {
        try await TestServer.run(lines(3)) { server in
            let client = try await server.client()
            await client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let text = await client.receiveToEnd()
            #expect(text.hasSuffix("\r\n\r\nline 0\nline 1\nline 2\n"))
            #expect(!text.contains("chunked"))
        }
    }

    @Test func `a client that does not read stops the producer`() async throws {
        let (made, source) = AsyncStream.makeStream(of: Int.self)
        let endless = FunctionResponder { _ in
            let stream = BodyStream {
                source.yield(1)
                return ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 20)
            }
            return HTTPResponse(status: .ok, stream: stream)
        }
        try await TestServer.run(endless) { server in
            let client = try await server.client()
            await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(await client.receive(through: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
            await client.reset()
            while server.server.connectionCount > 0 { await Task.yield() }
        }
        source.finish()
        var count = 0
        for await _ in made { count += 1 }
        #expect(count > 0)
    }
}
