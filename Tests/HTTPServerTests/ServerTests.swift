import HTTPServer
import HTTPTestSupport
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(10))) struct ServerTests {
    @Test(arguments: [echo, echoAtOnce, echoInBothWays])
    func `a connection serves one request after the other`(
        responder: FunctionResponder
    ) async throws {
        try await TestServer.run(responder) { server in
            let client = try await server.client()
            for index in 0..<50 {
                let answer = await client.request("POST", "/a?b=\(index)", body: "body \(index)")
                #expect(answer?.body == "POST /a?b=\(index) body \(index)")
                #expect(answer?.headers.first(name: "connection") == nil)
            }
            #expect(server.server.connectionCount == 1)
        }
    }

    @Test(arguments: [echo, echoAtOnce, echoInBothWays])
    func `pipelined requests are answered in order`(
        responder: FunctionResponder
    ) async throws {
        try await TestServer.run(responder) { server in
            let client = try await server.client()
            let requests = (0..<300).map {
                "POST /\($0) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
            }
            await client.send(requests.joined())
            for index in 0..<300 {
                #expect(await client.response()?.body == "POST /\(index) abcde")
            }
        }
    }

    @Test func `answers that are made at once do not nest however many requests are pipelined`() async throws
    {
        let responder = FunctionResponder(reply: { request in
            let response = HTTPResponse(status: .noContent, headers: ["X-Path": request.path])
            return request.path == "/0" ? .later { response } : .now(response)
        })
        try await TestServer.run(responder) { server in
            let client = try await server.client()
            await client.send((0..<6_000).map { "GET /\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
            for index in 0..<6_000 {
                let path = await client.response()?.headers.first(name: "x-path")
                guard path == "/\(index)" else {
                    Issue.record("answer \(index) is \(path ?? "missing")")
                    break
                }
            }
        }
    }

    @Test(arguments: [echo, echoAtOnce, echoInBothWays])
    func `a pipelined request that is broken is refused after the good ones`(
        responder: FunctionResponder
    ) async throws {
        try await TestServer.run(responder) { server in
            let client = try await server.client()
            await client.send(
                "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\nBROKEN\r\n\r\n"
            )
            #expect(await client.response()?.body == "GET /1 ")
            #expect(await client.response()?.body == "GET /2 ")
            #expect(await client.response()?.status == 400)
            #expect(await client.receiveToEnd() == "")
        }
    }

    @Test func `a body of many megabytes goes both ways`() async throws {
        try await TestServer.run(FunctionResponder { HTTPResponse(status: .ok, body: $0.body) }) { server in
            let client = try await server.client()
            let body = String(repeating: "0123456789abcdef", count: 1 << 18)
            for _ in 0..<2 { #expect(await client.request("POST", "/", body: body)?.body == body) }
        }
    }

    @Test(arguments: [echo, echoAtOnce, echoInBothWays])
    func `a body over the limit is refused with the limit and the client sees it`(
        responder: FunctionResponder
    ) async throws {
        var configuration = ServerConfiguration()
        configuration.maxBodyBytes = 1000
        try await TestServer.run(responder, configuration: configuration) { server in
            let whole = try await server.client()
            let answer = await whole.request("POST", "/", body: String(repeating: "a", count: 1 << 20))
            #expect(answer?.status == 413)
            #expect(answer?.body == "request body is larger than 1000 bytes")
            let chunked = try await server.client()
            await chunked.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<20 { await chunked.send("64\r\n\(String(repeating: "a", count: 100))\r\n") }
            #expect(await chunked.response()?.status == 413)
            let exact = try await server.client()
            #expect(
                await exact.request("POST", "/", body: String(repeating: "a", count: 1000))?.status == 200
            )
        }
    }

    @Test(arguments: [echo, echoAtOnce, echoInBothWays])
    func `a client that waits for 100 is told to go on unless its body is too large`(
        responder: FunctionResponder
    ) async throws {
        var configuration = ServerConfiguration()
        configuration.maxBodyBytes = 10
        try await TestServer.run(responder, configuration: configuration) { server in
            let client = try await server.client()
            await client.send(
                "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
            )
            #expect(await client.response()?.status == 100)
            await client.send("abc")
            #expect(await client.response()?.body == "POST / abc")
            await client.send(
                "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n"
            )
            #expect(await client.response()?.status == 413)
        }
    }

    @Test func `head has the header fields of get and no body`() async throws {
        try await TestServer.run(echo) { server in
            let client = try await server.client()
            let answer = await client.request("HEAD", "/a")
            #expect(answer?.headers.first(name: "content-length") == "8")
            #expect(await client.request("GET", "/a")?.body == "GET /a ")
        }
    }

    @Test func `request ids come back and insane ones are replaced`() async throws {
        try await TestServer.run(
            FunctionResponder { HTTPResponse(status: .ok, body: ByteBuffer(string: $0.id)) }
        ) {
            let client = try await $0.client()
            let taken = await client.request("GET", "/", headers: [("x-request-id", "trace-1")])
            #expect(taken?.body == "trace-1")
            #expect(taken?.headers.first(name: "x-request-id") == "trace-1")
            let made = await client.request("GET", "/", headers: [("X-Request-Id", "no good")])
            #expect(made?.body.utf8.count == 13)
            #expect(made?.headers.first(name: "x-request-id") == made?.body)
        }
    }

    @Test func `old clients and clients that want to close are closed`() async throws {
        try await TestServer.run(echo) { server in
            let requests = [
                "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
            ]
            for request in requests {
                let client = try await server.client()
                await client.send(request)
                #expect(await client.receiveToEnd().hasSuffix("\r\n\r\nGET / "))
            }
            let client = try await server.client()
            await client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(await client.response()?.headers.first(name: "connection") == "keep-alive")
            #expect(await client.request("GET", "/")?.status == 200)
        }
    }

    @Test func `header values cannot break out of their line`() async throws {
        let injecting = FunctionResponder { _ in
            HTTPResponse(status: .ok, headers: ["X-A": "a\r\nX-B: b", "Content-Length": "999"])
        }
        try await TestServer.run(injecting) { server in
            let client = try await server.client()
            let answer = await client.request("GET", "/")
            #expect(answer?.headers.first(name: "x-a") == "a  X-B: b")
            #expect(answer?.headers["content-length"] == ["0"])
        }
    }

    @Test func `ipv6 and names can be listened on`() async throws {
        for host in ["::1", "localhost"] {
            var configuration = ServerConfiguration()
            configuration.host = host
            try await TestServer.run(echo, configuration: configuration) { server in
                #expect((server.address.port ?? 0) > 0)
                let client = try await server.client()
                #expect(await client.request("GET", "/")?.status == 200)
            }
        }
    }

    @Test func `a taken port and a bad limit are errors`() async throws {
        try await TestServer.run(echo) { server in
            var configuration = ServerConfiguration()
            configuration.port = try #require(server.address.port)
            let second = Server(configuration: configuration, responder: echo, logger: quiet)
            let taken = Server.StartError.cannotListen(
                host: "127.0.0.1",
                port: configuration.port,
                reason: "address already in use"
            )
            await #expect(throws: taken) { try await second.start() }
            #expect("\(taken)" == "127.0.0.1:\(configuration.port): cannot listen: address already in use")
            configuration.maxBodyBytes = 0
            let third = Server(configuration: configuration, responder: echo, logger: quiet)
            await #expect(throws: Server.StartError.invalidConfiguration(name: "maxBodyBytes", value: 0)) {
                try await third.start()
            }
            await #expect(throws: Server.StartError.alreadyStarted) { try await server.server.start() }
        }
    }

    @Test func `one connection over the limit is told so and does not hurt the others`() async throws {
        var configuration = ServerConfiguration()
        configuration.maxConnections = 2
        try await TestServer.run(echo, configuration: configuration) { server in
            let first = try await server.client()
            let second = try await server.client()
            for client in [first, second] { #expect(await client.request("GET", "/")?.status == 200) }
            let third = try await server.client()
            #expect(await third.response()?.status == 503)
            for client in [first, second] { #expect(await client.request("GET", "/")?.status == 200) }
        }
    }
}
