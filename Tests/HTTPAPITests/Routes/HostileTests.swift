import HTTPServer
import HTTPTestSupport
import NIOHTTP1
import Testing

@testable import HTTPAPI

@Suite(.timeLimit(.minutes(5))) struct HostileTests {
    private static let good = #"{"instances":["GLFDIVKKVVGALGSL"]}"#

    private func check(_ input: HostileInput, status: UInt, body: String) throws {
        #expect(status == input.status, "\(body)")
        let error = try JSONText(body)
        #expect(error["code"] == .string(input.code), "\(body)")
        #expect(error["status"] == .number(Double(input.status)))
        #expect(error["request_id"]?.string?.isEmpty == false)
        #expect(error["error"]?.string?.isEmpty == false)
        if let place = input.place {
            #expect(error["path"]?.string?.hasPrefix(place) == true, "\(body)")
        }
    }

    @Test(arguments: HostileInput.bodies)
    func `bad input is refused with the place`(input: HostileInput) async throws {
        let service = try await TestService.shared
        let answer = await service.call(
            .POST,
            input.path,
            headers: HTTPHeaders(input.headers),
            body: input.body
        )
        try check(input, status: answer.status, body: answer.body)
    }

    @Test func `bad input over a socket changes no answer beside it`() async throws {
        let service = try await TestService.shared
        try await TestServer.run(service.api) { server in
            let neighbour = try await server.client()
            let expected = await neighbour.request("POST", HostileInput.peptides, body: Self.good)?.body
            #expect(expected?.hasPrefix(#"{"predictions":[["#) == true)
            let client = try await server.client()
            for input in HostileInput.bodies {
                let answer = try #require(
                    await client.request("POST", input.path, headers: input.headers, body: input.body)
                )
                try check(input, status: UInt(answer.status), body: answer.body)
                #expect(
                    await neighbour.request("POST", HostileInput.peptides, body: Self.good)?.body == expected
                )
            }
        }
    }

    @Test func `what the connection refuses has the form of every error`() async throws {
        let service = try await TestService.shared
        var configuration = ServerConfiguration()
        configuration.maxBodyBytes = 1000
        configuration.maxHeaderBytes = 1000
        try await TestServer.run(service.api, configuration: configuration) { server in
            let long = String(repeating: "a", count: 2000)
            let head = "POST \(HostileInput.cnn) HTTP/1.1\r\nHost: h\r\n"
            let cases: [(String, Int, String)] = [
                (head + "Content-Length: 2000\r\n\r\n" + long, 413, "payload_too_large"),
                (
                    head + "Transfer-Encoding: chunked\r\n\r\n7d0\r\n\(long)\r\n0\r\n\r\n", 413,
                    "payload_too_large"
                ),
                (head + "X: \(long)\r\n\r\n", 431, "header_too_large"),
                ("nonsense\r\n\r\n", 400, "malformed_request"),
            ]
            for (sent, status, code) in cases {
                let client = try await server.client()
                await client.send(sent)
                let answer = try #require(await client.response())
                #expect(answer.status == status)
                let error = try JSONText(answer.body)
                #expect(error["code"] == .string(code))
                #expect(error["request_id"]?.string == answer.headers.first(name: "x-request-id"))
                if status != 400 { #expect(error["error"]?.string?.contains("1000") == true) }
                #expect(await client.receiveToEnd() == "")
            }
        }
    }

    @Test func `clients that leave in the middle change no answer beside them`() async throws {
        let service = try await TestService.shared
        try await TestServer.run(service.api) { server in
            let neighbour = try await server.client()
            let expected = await neighbour.request("POST", HostileInput.peptides, body: Self.good)?.body
            let request =
                "POST \(HostileInput.peptides) HTTP/1.1\r\nHost: h\r\nContent-Length: \(Self.good.utf8.count)\r\n\r\n"
                + Self.good
            for cut in stride(from: 1, through: request.utf8.count, by: 7) {
                let client = try await server.client()
                await client.send(String(request.prefix(cut)))
                await client.reset()
                #expect(
                    await neighbour.request("POST", HostileInput.peptides, body: Self.good)?.body == expected
                )
            }
        }
    }
}
