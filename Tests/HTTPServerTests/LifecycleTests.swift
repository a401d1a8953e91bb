import HTTPServer
import HTTPTestSupport
import NIOCore
import Testing

/// Something that happens once, for which many may wait.
private struct Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let source: AsyncStream<Void>.Continuation

    init() {
        (stream, source) = AsyncStream.makeStream(of: Void.self)
    }

    func send() { source.finish() }
    func wait() async { for await _ in stream {} }
}

@Suite(.timeLimit(.minutes(10))) struct LifecycleTests {
    @Test func `a client that goes away cancels its handler`() async throws {
        let (started, cancelled) = (Signal(), Signal())
        let waiting = FunctionResponder { _ in
            started.send()
            await Signal().wait()
            if Task.isCancelled { cancelled.send() }
            return HTTPResponse(status: .ok)
        }
        try await TestServer.run(waiting) { server in
            let client = try await server.client()
            await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            await started.wait()
            await client.close()
            await cancelled.wait()
        }
    }

    @Test(arguments: [
        "", "GET", "GET / HTTP/1.1\r\nHo", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
    ])
    func `a client that leaves in the middle of a request hurts nobody`(sent: String) async throws {
        try await TestServer.run(echo) { server in
            for resets in [true, false] {
                let client = try await server.client()
                await client.send(sent)
                await resets ? client.reset() : client.close()
            }
            let other = try await server.client()
            #expect(await other.request("GET", "/")?.status == 200)
            while server.server.connectionCount > 1 { await Task.yield() }
        }
    }

    @Test func `while draining answers say close and new connections are served`() async throws {
        try await TestServer.run(echo) { server in
            let old = try await server.client()
            #expect(await old.request("GET", "/")?.headers.first(name: "connection") == nil)
            server.server.beginDraining()
            let answer = await old.request("GET", "/")
            #expect(answer?.headers.first(name: "connection") == "close")
            #expect(await old.receiveToEnd() == "")
            let new = try await server.client()
            #expect(await new.request("GET", "/")?.headers.first(name: "connection") == "close")
        }
    }

    @Test func `stop finishes what is in flight and closes what is idle`() async throws {
        let (started, release) = (Signal(), Signal())
        let slow = FunctionResponder { request in
            guard request.path == "/slow" else { return HTTPResponse(status: .ok) }
            started.send()
            await release.wait()
            return HTTPResponse(status: .ok, body: ByteBuffer(string: "done"))
        }
        try await TestServer.run(slow) { server in
            let idle = try await server.client()
            #expect(await idle.request("GET", "/")?.status == 200)
            let busy = try await server.client()
            await busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
            await started.wait()
            async let stopped: Void = server.server.stop()
            #expect(await idle.receiveToEnd() == "")
            release.send()
            let answer = await busy.response()
            #expect(answer?.body == "done")
            #expect(answer?.headers.first(name: "connection") == "close")
            await stopped
            #expect(server.server.connectionCount == 0)
            await #expect(throws: (any Error).self) { _ = try await server.client() }
        }
    }

    @Test func `stop breaks off what outlives the shutdown timeout`() async throws {
        let (started, cancelled) = (Signal(), Signal())
        var configuration = ServerConfiguration()
        configuration.shutdownTimeout = .milliseconds(1)
        let endless = FunctionResponder { _ in
            started.send()
            await Signal().wait()
            cancelled.send()
            return HTTPResponse(status: .ok)
        }
        try await TestServer.run(endless, configuration: configuration) { server in
            let client = try await server.client()
            await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            await started.wait()
            await server.server.stop()
            await cancelled.wait()
            #expect(await client.receiveToEnd() == "")
        }
    }

    @Test func `many clients at once all get their own answers`() async throws {
        try await TestServer.run(echo) { server in
            await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        let client = try await server.client()
                        for index in 0..<20 {
                            let answer = await client.request("POST", "/\(number)", body: "\(index)")
                            #expect(answer?.body == "POST /\(number) \(index)")
                        }
                        await client.close()
                    }
                }
            }
        }
    }
}
