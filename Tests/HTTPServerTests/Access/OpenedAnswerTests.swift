import HTTPServer
import HTTPTestSupport
import NIOCore
import Testing

/// What a browser is told for pages of other sites, and what is asked before a body.
@Suite(.timeLimit(.minutes(10))) struct OpenedAnswerTests {
    private static let responder = FunctionResponder { request in
        request.method == .OPTIONS
            ? HTTPResponse(status: .noContent, headers: ["Allow": "GET, HEAD, OPTIONS"])
            : HTTPResponse(status: .ok, headers: ["Content-Type": "text/plain"], body: request.body)
    }

    private func answers(_ origins: [String]?, _ body: (RawClient) async throws -> Void) async throws {
        var configuration = ServerConfiguration()
        configuration.cors = origins.map { CORSPolicy(origins: $0) }
        try await TestServer.run(Self.responder, configuration: configuration) { server in
            try await body(try await server.client())
        }
    }

    @Test func `without a policy nothing is said of origins`() async throws {
        try await answers(nil) { client in
            for method in ["GET", "OPTIONS"] {
                let answer = await client.request(
                    method,
                    "/",
                    headers: [("Origin", "https://a"), ("Access-Control-Request-Method", "GET")]
                )
                #expect(
                    answer?.headers.contains { $0.name.lowercased().hasPrefix("access-control") } == false
                )
            }
        }
    }

    @Test func `a listed origin may read, another gets no leave`() async throws {
        try await answers(["https://a", "https://b"]) { client in
            for origin in ["https://a", "https://b"] {
                let answer = await client.request("GET", "/", headers: [("Origin", origin)])
                #expect(answer?.headers.first(name: "access-control-allow-origin") == origin)
                #expect(answer?.headers.first(name: "vary") == "Origin")
                #expect(answer?.headers.contains(name: "access-control-expose-headers") == true)
            }
            for origin in ["https://c", "null", "https://a.evil", "https://a:444"] {
                let answer = await client.request("GET", "/", headers: [("Origin", origin)])
                #expect(answer?.status == 200)
                #expect(answer?.headers.first(name: "access-control-allow-origin") == nil)
                #expect(answer?.headers.first(name: "vary") == "Origin")
            }
            let plain = await client.request("GET", "/")
            #expect(plain?.headers.first(name: "access-control-allow-origin") == nil)
        }
    }

    @Test func `a browser that asks first is told the verbs and fields`() async throws {
        try await answers(["*"]) { client in
            let answer = await client.request(
                "OPTIONS",
                "/",
                headers: [("Origin", "https://a"), ("Access-Control-Request-Method", "GET")]
            )
            #expect(answer?.status == 204)
            #expect(answer?.headers.first(name: "access-control-allow-origin") == "*")
            #expect(answer?.headers.first(name: "access-control-allow-methods") == "GET, HEAD, OPTIONS")
            let fields = answer?.headers.first(name: "access-control-allow-headers") ?? ""
            #expect(fields.contains("Authorization") && fields.contains("Content-Type"))
            #expect(answer?.headers.first(name: "access-control-max-age") == "600")
        }
    }

    @Test func `a refused request tells a browser as well`() async throws {
        try await answers(["*"]) { client in
            await client.send("POST / HTTP/1.1\r\nHost: h\r\nOrigin: https://a\r\nExpect: miracle\r\n\r\n")
            let answer = await client.response()
            #expect(answer?.status == 417)
            #expect(answer?.headers.first(name: "access-control-allow-origin") == "*")
        }
    }

    private struct Doorman: Responder {
        func reply(to request: HTTPRequest) -> Reply { .now(HTTPResponse(status: .ok, body: request.body)) }
        func refusal(of request: HTTPRequest) -> HTTPResponse? {
            request.headers.contains(name: "x-pass") ? nil : HTTPResponse(status: .unauthorized)
        }
        func reject(_ rejection: Rejection, requestID: String) -> HTTPResponse {
            HTTPResponse(status: rejection.status)
        }
    }

    @Test func `a body that is not wanted is not waited for`() async throws {
        var configuration = ServerConfiguration()
        configuration.asksBeforeBody = true
        try await TestServer.run(Doorman(), configuration: configuration) { server in
            for fields in [
                "Content-Length: 1000000\r\n", "Transfer-Encoding: chunked\r\n",
                "Content-Length: 9\r\nExpect: 100-continue\r\n",
            ] {
                let client = try await server.client()
                await client.send("POST / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")
                let answer = await client.response()
                #expect(answer?.status == 401)
                #expect(answer?.headers.first(name: "connection") == "close")
                await client.close()
            }
            let client = try await server.client()
            #expect(await client.request("POST", "/", headers: [("X-Pass", "1")], body: "abc")?.body == "abc")
            #expect(await client.request("GET", "/")?.status == 200)
        }
    }
}
