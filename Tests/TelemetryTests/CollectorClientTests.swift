import Foundation
import HTTPServer
import HTTPTestSupport
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import Telemetry

@Suite(.timeLimit(.minutes(10))) struct CollectorClientTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures/tls")

    private func client(_ port: Int?, scheme: String = "http", authorities: String? = nil) throws
        -> CollectorClient
    {
        let url = try #require(CollectorURL("\(scheme)://127.0.0.1:\(port ?? 0)"))
        return try CollectorClient(
            url: url.traces,
            authorities: authorities,
            group: .singletonMultiThreadedEventLoopGroup
        )
    }

    private let message = ByteBuffer(bytes: [0, 255, 13, 10])

    @Test func `messages come as they are, over one connection`() async throws {
        let requests = NIOLockedValueBox<[HTTPRequest]>([])
        let collector = FunctionResponder { request in
            requests.withLockedValue { $0.append(request) }
            return HTTPResponse(status: .ok, body: ByteBuffer(string: "said"))
        }
        try await TestServer.run(collector) { server in
            let client = try client(server.address.port)
            for _ in 1...3 {
                let answer = try await client.post(message, timeout: .seconds(30))
                #expect(answer == CollectorAnswer(status: 200, body: ByteBuffer(string: "said")))
            }
            #expect(server.server.connectionCount == 1)
            await client.close()
        }
        for request in requests.withLockedValue({ $0 }) {
            #expect(request.method == .POST)
            #expect(request.path == "/v1/traces")
            #expect(request.body == message)
            #expect(request.headers.first(name: "content-type") == "application/x-protobuf")
        }
        #expect(requests.withLockedValue { $0.count } == 3)
    }

    @Test func `messages are compressed if that is asked for, and are shorter`() async throws {
        let encoder = SpanEncoder(resource: SpanResource(serviceName: "a", serviceVersion: "1"))
        let many = encoder.encode((1...512).map { .sample($0) })
        let sent = CollectorCompression.gzip.apply(to: many)
        #expect(sent.coding == .gzip)
        #expect(sent.bytes.readableBytes < many.readableBytes / 4)
        let plain = CollectorCompression.nothing.apply(to: many)
        #expect(plain.coding == nil)
        #expect(plain.bytes == many)

        let bodies = NIOLockedValueBox<[ByteBuffer]>([])
        let collector = FunctionResponder { request in
            bodies.withLockedValue { $0.append(request.body) }
            return HTTPResponse(status: .ok)
        }
        var configuration = ServerConfiguration()
        // A body that comes as long as it is has another ratio than one that was compressed.
        for (ratio, status) in [(100, 200), (1, 413)] {
            configuration.maxInflateRatio = ratio
            try await TestServer.run(collector, configuration: configuration) { server in
                let url = try #require(CollectorURL("http://127.0.0.1:\(server.address.port ?? 0)")).traces
                for (compression, expected) in [(CollectorCompression.nothing, 200), (.gzip, status)] {
                    let client = try CollectorClient(
                        url: url,
                        compression: compression,
                        group: .singletonMultiThreadedEventLoopGroup
                    )
                    let answers = [
                        try await client.post(ByteBuffer(), timeout: .seconds(30)).status,
                        try await client.post(many, timeout: .seconds(30)).status,
                    ]
                    #expect(answers == [200, expected])
                    await client.close()
                }
            }
        }
        let (empty, whole) = (ByteBuffer(), many)
        #expect(bodies.withLockedValue { $0 } == [empty, whole, empty, whole, empty, whole, empty])
    }

    @Test func `fields of the operator go with every message`() async throws {
        let seen = NIOLockedValueBox<[String]>([])
        let collector = FunctionResponder { request in
            seen.withLockedValue { $0 += request.headers["Authorization"] + request.headers["x-team"] }
            return HTTPResponse(status: .ok)
        }
        try await TestServer.run(collector) { server in
            let client = try CollectorClient(
                url: try #require(CollectorURL("http://127.0.0.1:\(server.address.port ?? 0)")).traces,
                headers: CollectorHeaders("Authorization=Bearer%20a=b%2C, x-team = proteins"),
                group: .singletonMultiThreadedEventLoopGroup
            )
            for _ in 1...2 { _ = try await client.post(message, timeout: .seconds(30)) }
            await client.close()
        }
        #expect(seen.withLockedValue { $0 } == ["Bearer a=b,", "proteins", "Bearer a=b,", "proteins"])
    }

    @Test(arguments: [
        ("key", "item 1 must be NAME=VALUE"), ("a=b,=secret", "item 2 has no valid name of a header field"),
        ("a b=secret", "item 1 has no valid name of a header field"),
        ("Content-length=secret", "Content-length is set by the exporter itself"),
        ("content-encoding=secret", "content-encoding is set by the exporter itself"),
        ("key=secret%0d%0aHost: b", "the value of key must be printable ASCII, percent-encoded"),
        ("key=%zz", "the value of key must be printable ASCII, percent-encoded"),
        ("key=\u{e4}", "the value of key must be printable ASCII, percent-encoded"),
    ])
    func `a list of fields that cannot be sent is refused without saying its values`(
        list: String,
        fault: String
    ) {
        #expect(throws: CollectorHeaders.Fault(description: fault)) { try CollectorHeaders(list) }
        #expect("\((try? CollectorHeaders("a=secret")) ?? CollectorHeaders())" == "1 header field")
    }

    @Test func `the status and when to come back are told`() async throws {
        let collector = FunctionResponder { request in
            HTTPResponse(
                status: .serviceUnavailable,
                headers: ["Retry-After": String(buffer: request.body)]
            )
        }
        try await TestServer.run(collector) { server in
            let client = try client(server.address.port)
            for (text, wait) in [("7", Duration.seconds(7)), ("-7", nil), ("Mon, 23 Nov 2026", nil)] {
                let answer = try await client.post(ByteBuffer(string: text), timeout: .seconds(30))
                #expect(answer.status == 503)
                #expect(answer.retryAfter == wait)
            }
            await client.close()
        }
    }

    @Test func `a connection that was closed meanwhile is opened anew`() async throws {
        try await TestServer.run(echo) { server in
            let client = try client(server.address.port)
            for _ in 1...3 {
                #expect(try await client.post(message, timeout: .seconds(30)).status == 200)
                await client.close()
            }
        }
        let answersOnce = FunctionResponder { _ in HTTPResponse(status: .ok, headers: ["Connection": "close"])
        }
        try await TestServer.run(answersOnce) { server in
            server.server.beginDraining()
            let client = try client(server.address.port)
            for _ in 1...3 { #expect(try await client.post(message, timeout: .seconds(30)).status == 200) }
            await client.close()
        }
    }

    @Test func `a collector that is not there is a fault in plain words`() async throws {
        let client = try client(1)
        await #expect(throws: CollectorFault.unreachable(reason: "connection refused")) {
            try await client.post(message, timeout: .seconds(30))
        }
    }

    @Test func `one that does not answer is given up in time, and asked again over a new connection`()
        async throws
    {
        let isSilent = NIOLockedValueBox(true)
        let (stream, source) = AsyncStream.makeStream(of: Void.self)
        let collector = FunctionResponder { _ in
            if isSilent.withLockedValue({ $0 }) { for await _ in stream {} }
            return HTTPResponse(status: .ok)
        }
        try await TestServer.run(collector) { server in
            let client = try client(server.address.port)
            await #expect(throws: CollectorFault.timedOut) {
                try await client.post(message, timeout: .milliseconds(1))
            }
            isSilent.withLockedValue { $0 = false }
            #expect(try await client.post(message, timeout: .seconds(30)).status == 200)
            await client.close()
            source.finish()
        }
    }

    @Test func `whoever is cancelled while the collector is silent goes at once`() async throws {
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        let (stream, source) = AsyncStream.makeStream(of: Void.self)
        let collector = FunctionResponder { _ in
            ask.yield()
            for await _ in stream {}
            return HTTPResponse(status: .ok)
        }
        try await TestServer.run(collector) { server in
            let client = try client(server.address.port)
            let posting = Task { try await client.post(message, timeout: .seconds(3600)) }
            for await _ in asked { break }
            posting.cancel()
            await #expect(throws: CancellationError.self) { try await posting.value }
            source.finish()
        }
    }

    @Test func `over TLS the certificate is held against the authorities`() async throws {
        let paths = ["first.pem", "first.key", "second.pem"].map {
            Self.fixtures.appendingPathComponent($0).path
        }
        var configuration = ServerConfiguration()
        configuration.port = 0
        let server = Server(
            configuration: configuration,
            responder: echo,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            tls: try TLSIdentity(.init(certificate: paths[0], key: paths[1]))
        )
        let port = try await server.start().port
        let trusting = try client(port, scheme: "https", authorities: paths[0])
        #expect(try await trusting.post(message, timeout: .seconds(30)).status == 200)
        let doubting = try client(port, scheme: "https", authorities: paths[2])
        await #expect(throws: CollectorFault.self) {
            try await doubting.post(message, timeout: .seconds(30))
        }
        await trusting.close()
        await server.stop()
        #expect(throws: CollectorClient.FileFault.self) {
            try client(port, scheme: "https", authorities: paths[1])
        }
    }

    @Test(arguments: [
        ("http://a", "http://a:80/v1/traces"), ("https://a", "https://a:443/v1/traces"),
        ("http://[::1]:4318", "http://[::1]:4318/v1/traces"), ("HTTP://a:1/", "http://a:1/v1/traces"),
        ("http://a/b%20c", "http://a:80/b%20c/v1/traces"),
    ])
    func `the place of a collector is that of its spans`(text: String, traces: String) {
        #expect(CollectorURL(text)?.traces.description == traces)
    }

    @Test(arguments: [
        "", "a", "a:4318", "grpc://a", "http://", "http://a:0", "http://a:65536", "http://u:p@a",
        "http://a#b",
    ])
    func `what is not a place is refused`(text: String) {
        #expect(CollectorURL(text) == nil)
    }
}
