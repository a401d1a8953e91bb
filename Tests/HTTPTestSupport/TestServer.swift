public import HTTPServer
import Logging
public import NIOCore

/// A running server on a free port.
public struct TestServer: Sendable {
    /// The server.
    public let server: Server
    /// Where it listens.
    public let address: SocketAddress

    /// Connects a client.
    ///
    /// - Parameter reads: Whether the client takes what the server sends.
    /// - Returns: A connected client.
    /// - Throws: NIO's `IOError` if the server does not listen any more.
    public func client(reads: Bool = true) async throws -> sending RawClient {
        try await RawClient.connect(to: address, reads: reads)
    }

    /// Runs a server around some code, and stops it.
    ///
    /// Limits of time on connections that the configuration leaves as they are do not hold: a client of a busy machine may be
    /// slower than them.
    ///
    /// - Parameters:
    ///   - responder: What answers.
    ///   - configuration: The limits; the port is set to 0.
    ///   - body: Gets the running server.
    /// - Throws: What the server or `body` throws.
    public static func run(
        _ responder: any Responder,
        configuration: ServerConfiguration = ServerConfiguration(),
        _ body: (TestServer) async throws -> Void
    ) async throws {
        var configuration = configuration
        configuration.port = 0
        let standard = ServerConfiguration()
        for limit in [
            \ServerConfiguration.idleTimeout, \.headerTimeout, \.bodyTimeout, \.writeTimeout,
        ] where configuration[keyPath: limit] == standard[keyPath: limit] {
            configuration[keyPath: limit] = .seconds(600)
        }
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        let server = Server(configuration: configuration, responder: responder, logger: logger)
        let address = try await server.start()
        do {
            try await body(TestServer(server: server, address: address))
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }
}

/// A responder made of one function; rejections are answered as plain text.
public struct FunctionResponder: Responder {
    private let function: @Sendable (HTTPRequest) -> Reply

    /// A responder that answers by a task.
    ///
    /// - Parameter function: What answers.
    public init(_ function: @escaping @Sendable (HTTPRequest) async -> HTTPResponse) {
        self.function = { request in .later { await function(request) } }
    }

    /// A responder that answers at once, or later.
    ///
    /// - Parameter function: What answers.
    public init(reply function: @escaping @Sendable (HTTPRequest) -> Reply) {
        self.function = function
    }

    /// Answers by the function.
    ///
    /// - Parameter request: The request.
    /// - Returns: The function's answer.
    public func reply(to request: HTTPRequest) -> Reply {
        function(request)
    }

    /// Answers with the rejection's sentence.
    ///
    /// - Parameters:
    ///   - rejection: The reason.
    ///   - requestID: The request's id.
    /// - Returns: Plain text.
    public func reject(_ rejection: Rejection, requestID: String) -> HTTPResponse {
        HTTPResponse(status: rejection.status, body: ByteBuffer(string: "\(rejection)"))
    }
}

/// A responder that answers with verb, target and body, by a task.
public let echo = FunctionResponder { request in answer(to: request) }

/// A responder that answers with verb, target and body, at once.
public let echoAtOnce = FunctionResponder(reply: { .now(answer(to: $0)) })

/// A responder that answers with verb, target and body, now at once, now by a task.
public let echoInBothWays = FunctionResponder(reply: { request in
    request.path.utf8.last.map { $0 & 1 } == 0 ? .now(answer(to: request)) : .later { answer(to: request) }
})

private func answer(to request: HTTPRequest) -> HTTPResponse {
    let query = request.query.map { "?" + $0 } ?? ""
    return HTTPResponse(
        status: .ok,
        headers: ["Content-Type": "text/plain"],
        body: ByteBuffer(string: "\(request.method) \(request.path)\(query) \(String(buffer: request.body))")
    )
}
