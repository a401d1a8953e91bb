import Foundation
import HTTPTestSupport
import Logging
import NIOCore
import Testing

@testable import HTTPServer

@Suite(.timeLimit(.minutes(10))) struct TLSIdentityTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/tls")

    /// A folder with a certificate and its key, which the test may change.
    private func withFiles(_ body: (TLSIdentity.Files) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = TLSIdentity.Files(
            certificate: folder.appendingPathComponent("server.pem").path,
            key: folder.appendingPathComponent("server.key").path
        )
        try put("first", files)
        try await body(files)
    }

    private func put(_ name: String, _ files: TLSIdentity.Files, key: Bool = true) throws {
        for (path, kind) in [(files.certificate, "pem"), (files.key, "key")] where key || kind == "pem" {
            try Data(contentsOf: Self.fixtures.appendingPathComponent("\(name).\(kind)"))
                .write(to: URL(fileURLWithPath: path), options: .atomic)
        }
    }

    private func run(_ identity: TLSIdentity, _ body: (Int) async throws -> Void) async throws {
        var configuration = ServerConfiguration()
        configuration.port = 0
        let server = Server(
            configuration: configuration,
            responder: echo,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            tls: identity
        )
        let port = try await server.start().port
        do {
            try await body(try #require(port))
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    @Test func `requests are answered over TLS, before and after the certificate is read anew`() async throws
    {
        try await withFiles { files in
            let identity = try TLSIdentity(files)
            try await run(identity) { port in
                let probe = try HealthProbe(url: "https://127.0.0.1:\(port)/a")
                #expect(try await probe.ask(timeout: .seconds(30)).body == "GET /a ")
                try put("second", files)
                #expect(identity.isStale)
                let before = ObjectIdentifier(identity.context)
                try identity.reload()
                #expect(ObjectIdentifier(identity.context) != before)
                #expect(!identity.isStale)
                #expect(try await probe.ask(timeout: .seconds(30)).status == 200)
            }
        }
    }

    @Test func `bytes that are no TLS close the connection and hurt nobody`() async throws {
        try await withFiles { files in
            try await run(TLSIdentity(files)) { port in
                let plain = try HealthProbe(url: "http://127.0.0.1:\(port)/")
                await #expect(throws: HealthProbe.Failure.self) {
                    _ = try await plain.ask(timeout: .seconds(30))
                }
                let probe = try HealthProbe(url: "https://127.0.0.1:\(port)/")
                #expect(try await probe.ask(timeout: .seconds(30)).status == 200)
            }
        }
    }

    @Test func `files that cannot be used are named, and the old identity stays`() async throws {
        try await withFiles { files in
            let identity = try TLSIdentity(files)
            let context = ObjectIdentifier(identity.context)
            func fault() -> String? {
                let fault = #expect(throws: TLSIdentity.FileFault.self) { try identity.reload() }
                #expect(!identity.isStale)
                #expect(ObjectIdentifier(identity.context) == context)
                return fault?.description
            }
            try put("second", files, key: false)
            #expect(fault() == "\(files.certificate): does not go with the key \(files.key)")
            try Data("broken".utf8).write(to: URL(fileURLWithPath: files.certificate), options: .atomic)
            #expect(fault() == "\(files.certificate): no certificate in PEM")
            try put("first", files)
            try Data("broken".utf8).write(to: URL(fileURLWithPath: files.key), options: .atomic)
            #expect(fault() == "\(files.key): not a private key in PEM without a passphrase")
            try FileManager.default.removeItem(atPath: files.key)
            #expect(fault() == "\(files.key): not a private key in PEM without a passphrase")
            try put("second", files)
            try identity.reload()
            #expect(ObjectIdentifier(identity.context) != context)
        }
    }

    @Test func `authorities of clients have to be certificates`() async throws {
        try await withFiles { files in
            var files = files
            files.clientAuthorities = files.key
            #expect(throws: TLSIdentity.FileFault.self) { _ = try TLSIdentity(files) }
            files.clientAuthorities = files.certificate
            let identity = try TLSIdentity(files)
            try await run(identity) { port in
                let probe = try HealthProbe(url: "https://127.0.0.1:\(port)/")
                await #expect(throws: HealthProbe.Failure.self) {
                    _ = try await probe.ask(timeout: .seconds(30))
                }
            }
        }
    }
}
