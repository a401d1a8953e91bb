import Foundation
import HTTPTestSupport
import Logging
import NIOCore
import Testing

@testable import HTTPServer

@Suite(.timeLimit(.minutes(10))) struct UnixSocketTests {
    private func withPath(_ body: (String) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(
            "\(UInt32.random(in: 0 ... .max)).s"
        )
        .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    private func configuration(_ path: String) -> ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.unixSocketPath = path
        return configuration
    }

    private func start(_ path: String) async throws -> Server {
        let server = Server(
            configuration: configuration(path),
            responder: echo,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        _ = try await server.start()
        return server
    }

    @Test func `requests are answered over a socket that goes with its server`() async throws {
        try await withPath { path in
            for _ in 0..<2 {
                try await TestServer.run(echo, configuration: configuration(path)) { server in
                    #expect(server.address.pathname == path)
                    let client = try await server.client()
                    for _ in 0..<3 { #expect(await client.request("GET", "/a")?.body == "GET /a ") }
                }
                #expect(!FileManager.default.fileExists(atPath: path))
            }
        }
    }

    @Test func `a socket somebody listens on is taken, one left behind is not`() async throws {
        try await withPath { path in
            let first = try await start(path)
            let taken = Server.StartError.cannotListenAt(path: path, reason: "address already in use")
            await #expect(throws: taken) { _ = try await start(path) }
            #expect("\(taken)" == "\(path): cannot listen: address already in use")
            let client = try await RawClient.connect(to: SocketAddress(unixDomainSocketPath: path))
            #expect(await client.request("GET", "/")?.status == 200)
            await client.close()
            // As a process that was killed leaves it: the file stays, nobody listens.
            try FileManager.default.moveItem(atPath: path, toPath: path + "x")
            await first.stop()
            try FileManager.default.moveItem(atPath: path + "x", toPath: path)
            let second = try await start(path)
            await second.stop()
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func `a file that is no socket is not removed, and a path that is too long is told`() async throws {
        try await withPath { path in
            try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
            let reason = "a file that is no socket is there"
            await #expect(throws: Server.StartError.cannotListenAt(path: path, reason: reason)) {
                _ = try await start(path)
            }
            #expect(FileManager.default.fileExists(atPath: path))
            let long = path + String(repeating: "x", count: 200)
            let told = Server.StartError.cannotListenAt(
                path: long,
                reason: "the path is too long for a socket"
            )
            await #expect(throws: told) { _ = try await start(long) }
        }
    }
}
