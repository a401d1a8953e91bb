import HTTPTestSupport
import NIOCore
import NIOPosix
import Testing

@testable import HTTPServer

@Suite(.timeLimit(.minutes(10))) struct HealthProbeTests {
    @Test(arguments: [
        ("http://localhost", "localhost", 80, "/readyz"),
        ("HTTP://localhost:8080/", "localhost", 8080, "/readyz"),
        ("http://10.0.0.1:1/livez", "10.0.0.1", 1, "/livez"),
        ("http://[::1]", "::1", 80, "/readyz"),
        ("http://[fe80::1%25eth0]:65535/a/b?c=d", "fe80::1%25eth0", 65535, "/a/b?c=d"),
    ])
    func `a URL is a host, a port and a path`(url: String, host: String, port: Int, path: String) throws {
        let probe = try HealthProbe(url: url)
        #expect(probe.host == host)
        #expect(probe.port == port)
        #expect(probe.path == path)
    }

    @Test(arguments: [
        "", "http", "http://", "http:///readyz", "ftp://localhost", "localhost:8080", "http://:80",
        "http://localhost:", "http://localhost:0", "http://localhost:65536", "http://localhost:x",
        "http://localhost:99999999999999999999", "http://[::1", "http://[]", "http://[::1]8080",
        "http://[::1]:", "http://::1:80", "http://localhost/a b", "http://localhost/\r\nHost: other",
        "http://localhost/ä",
    ])
    func `another URL is an error that repeats it`(url: String) {
        #expect(throws: HealthProbe.Failure.badURL(url)) { try HealthProbe(url: url) }
    }

    @Test func `the answer is the status and the first bytes of the body`() async throws {
        let responder = FunctionResponder { request in
            let text = request.path == "/long" ? String(repeating: "x", count: 10_000) : request.path
            return HTTPResponse(status: .serviceUnavailable, body: ByteBuffer(string: text))
        }
        try await TestServer.run(responder) { server in
            let url = "http://127.0.0.1:\(server.address.port ?? 0)"
            let ready = try await HealthProbe(url: url).ask(timeout: .seconds(30))
            #expect(ready == HealthProbe.Answer(status: 503, body: "/readyz"))
            let long = try await HealthProbe(url: url + "/long").ask(timeout: .seconds(30))
            #expect(long.body == String(repeating: "x", count: 4096))
        }
    }

    @Test func `nobody listening is no answer`() async throws {
        var url = ""
        try await TestServer.run(echo) { url = "http://127.0.0.1:\($0.address.port ?? 0)" }
        let probe = try HealthProbe(url: url)
        await #expect(throws: HealthProbe.Failure.noAnswer("connection refused")) {
            try await probe.ask(timeout: .seconds(30))
        }
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "nonsense\r\n\r\n"])
    func `a connection that ends in the middle of the answer is no answer`(sent: String) async throws {
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Stub(answer: sent))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let probe = try HealthProbe(url: "http://127.0.0.1:\(server.localAddress?.port ?? 0)")
        let failure = await #expect(throws: HealthProbe.Failure.self) {
            try await probe.ask(timeout: .seconds(30))
        }
        guard case .noAnswer = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        try await server.close()
    }

    @Test func `a server that does not answer in time is left`() async throws {
        let (left, leave) = AsyncStream.makeStream(of: Void.self)
        let silent = FunctionResponder { _ in
            await withTaskCancellationHandler {
                for await _ in left {}
            } onCancel: {
                leave.finish()
            }
            return HTTPResponse(status: .ok)
        }
        try await TestServer.run(silent) { server in
            let probe = try HealthProbe(url: "http://127.0.0.1:\(server.address.port ?? 0)")
            await #expect(throws: HealthProbe.Failure.timedOut) {
                try await probe.ask(timeout: .milliseconds(100))
            }
            while server.server.connectionCount > 0 { await Task.yield() }
        }
    }
}

/// Waits for the first bytes, sends some, and closes.
private final class Stub: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: String

    init(answer: String) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = ByteBuffer(string: answer)
        let channel = context.channel
        context.writeAndFlush(Self.wrapOutboundOut(bytes)).whenComplete { _ in channel.close(promise: nil) }
    }
}
