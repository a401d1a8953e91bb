import Foundation
import HTTPServer
import HTTPTestSupport
import NIOCore
import Testing

/// A running `seqnorm serve` on a free port.
struct ServeProcess {
    /// The port it says it listens on.
    let port: Int
    private let process: Process
    private let ends: @Sendable () async -> Int32
    private let folder: TemporaryFolder

    /// Everything it has written to standard error.
    var error: String { get throws { try folder.text("err") } }

    /// Runs the server around some code.
    ///
    /// - Parameters:
    ///   - arguments: The command line after `serve --port 0`.
    ///   - body: Gets the server when it listens.
    /// - Throws: What `body` throws, or an expectation's error if it does not begin to listen.
    static func run(_ arguments: String..., body: (ServeProcess) async throws -> Void) async throws {
        let folder = try TemporaryFolder(["err": ""])
        let process = Program.process(["serve", "--port", "0"] + arguments)
        let output = Pipe()
        let error = try FileHandle(forWritingTo: folder.url.appendingPathComponent("err"))
        (process.standardOutput, process.standardError) = (output, error)
        let ends = try process.start()
        defer { process.terminate() }
        let lines = output.fileHandleForReading.lines
        var port: Int?
        for await line in lines {
            port = line.firstMatch(of: /listening on http:\/\/127\.0\.0\.1:(\d+),/).flatMap { Int($0.1) }
            if port != nil { break }
        }
        let found = try #require(port, "\((try? folder.text("err")) ?? "")")
        try await body(ServeProcess(port: found, process: process, ends: ends, folder: folder))
    }

    /// One `GET`.
    func get(_ path: String) async throws -> HealthProbe.Answer {
        try await HealthProbe(url: "http://127.0.0.1:\(port)\(path)").ask(timeout: .seconds(60))
    }

    /// A connection that can be kept.
    func client() async throws -> sending RawClient {
        try await RawClient.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: port))
    }

    /// Waits until a path is answered with 200.
    func isReady(_ path: String = "/readyz") async throws {
        while try await get(path).status != 200 {}
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// - Returns: The exit code.
    func terminate() async -> Int32 {
        process.terminate()
        return await ends()
    }
}

extension FileHandle {
    /// The lines that come, until the other side closes.
    fileprivate var lines: AsyncStream<String> {
        AsyncStream { source in
            let rest = Rest()
            readabilityHandler = { handle in
                let data = handle.availableData
                guard !data.isEmpty else {
                    handle.readabilityHandler = nil
                    source.finish()
                    return
                }
                for line in rest.add(data) { source.yield(line) }
            }
        }
    }
}

/// The line that is not whole yet.
///
/// `@unchecked Sendable`: a file handle calls its readability handler on one queue, one call after the other.
private final class Rest: @unchecked Sendable {
    private var text = ""

    /// The lines that the data makes whole.
    func add(_ data: Data) -> [String] {
        text += String(decoding: data, as: UTF8.self)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        text = lines.removeLast()
        return lines
    }
}
