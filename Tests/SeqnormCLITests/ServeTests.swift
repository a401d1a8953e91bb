import Foundation
import HTTPServer
import HTTPTestSupport
import NIOCore
import Testing

@testable import SeqnormCLI

/// `seqnorm serve` as a process.
@Suite(.timeLimit(.minutes(5))) struct ServeTests {
    @Test func `a port that is taken is 1 and names host and port`() async throws {
        try await TestServer.run(echo) { server in
            let port = server.address.port ?? 0
            let found = try await Command("serve", "--port", "\(port)", Program.models)
            #expect(found.exitCode == 1)
            #expect(found.output == "")
            #expect(found.error == "error: 127.0.0.1:\(port): cannot listen: address already in use\n")
        }
    }

    @Test func `a bad model among good ones is named by readyz, and the others answer`() async throws {
        let folder = try TemporaryFolder(["bad/1/model.onnx": "no model"])
        let good = URL(fileURLWithPath: Program.models + "/vowels-cnn/1/model.onnx")
        try folder.add("good/1/model.onnx", Data(contentsOf: good))
        try await ServeProcess.run("--drain-delay", "0", folder.url.path) { server in
            try await server.isReady("/v2/models/good/ready")
            while try await server.get("/readyz").body.contains("is loading") {}
            let ready = try await server.get("/readyz")
            #expect(ready.status == 503)
            #expect(ready.body.contains("model 'bad' version 1 failed: not an ONNX model"))
            let client = try await server.client()
            let row = "[" + Array(repeating: "0.5", count: 12).joined(separator: ",") + "]"
            let answer = await client.request(
                "POST",
                "/v1/models/good:predict",
                headers: [("Content-Type", "application/json")],
                body: #"{"instances": [[\#(row)]]}"#
            )
            #expect(answer?.status == 200)
            #expect(answer?.body.contains("predictions") == true)
            #expect(await server.terminate() == 0)
        }
    }

    @Test func `SIGTERM ends a server with 0 and a clean standard error`() async throws {
        try await ServeProcess.run("--drain-delay", "0", Program.models + "/vowels-cnn") { server in
            let kept = try await server.client()
            #expect(await kept.request("GET", "/livez")?.status == 200)
            try await server.isReady()
            #expect(await kept.request("GET", "/readyz")?.status == 200)
            #expect(await server.terminate() == 0)
            try expectClean(server)
        }
    }

    @Test func `SIGTERM cuts off what does not end in time, with 0 and a clean standard error`() async throws
    {
        let path = Program.models + "/peptide-bytenet"
        try await ServeProcess.run("--drain-delay", "0", "--shutdown-timeout", "0", path) { server in
            try await server.isReady()
            let sequence = String(repeating: "ACDEFGHIKL", count: 20)
            let body = "[" + Array(repeating: "\"\(sequence)\"", count: 2000).joined(separator: ",") + "]"
            let busy = try await server.client()
            await busy.send(
                "POST /v1/models/peptide-bytenet:predict HTTP/1.1\r\nHost: h\r\n"
                    + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count + 15)\r\n\r\n"
                    + #"{"instances": "# + body + "}"
            )
            #expect(try await server.get("/livez").status == 200)
            #expect(await server.terminate() == 0)
            try expectClean(server)
        }
    }

    /// Every line of the log is below warning, and nothing else was written.
    private func expectClean(_ server: ServeProcess) throws {
        let lines = try server.error.split(separator: "\n")
        #expect(lines.last?.hasSuffix("stopped") == true)
        for line in lines { #expect(line.contains(" info "), "\(line)") }
    }
}
