import Foundation
import HTTPTestSupport
import Logging
import Metrics
import NIOCore
import NIOHTTP1
import Serving
import Telemetry
import Testing

@testable import HTTPAPI
@testable import HTTPServer

/// The example models behind the API, loaded once for all tests.
struct TestService: Sendable {
    let api: ServingAPI
    let service: InferenceService

    private static let loaded = Task {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return try await make(paths: [root.appendingPathComponent("Examples/models")])
    }

    /// The shared one, with every model ready.
    static var shared: TestService {
        get async throws { try await loaded.value }
    }

    private static func make(paths: [URL]) async throws -> TestService {
        let registry = PrometheusRegistry()
        let repository = try ModelRepository(paths: paths, metrics: registry)
        await repository.load()
        return TestService(repository: repository, registry: registry)
    }

    init(repository: ModelRepository, registry: PrometheusRegistry) {
        self.init(
            InferenceService(repository: repository, pool: ComputePool(threads: 2), metrics: registry),
            registry
        )
    }

    private init(
        _ service: InferenceService,
        _ registry: PrometheusRegistry,
        spans: SpanExporter? = nil
    ) {
        self.service = service
        var options = ServingAPI.Options(version: "1.2.3")
        options.spans = spans
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        api = ServingAPI(
            service: service,
            registry: registry,
            options: options,
            logger: quiet
        )
    }

    /// The same models behind an API that makes spans.
    func traced(by spans: SpanExporter) -> TestService {
        TestService(service, PrometheusRegistry(), spans: spans)
    }

    /// Asks the router directly.
    func call(
        _ method: HTTPMethod,
        _ path: String,
        headers: HTTPHeaders = [:],
        body: String = ""
    ) async -> Answer {
        let request = HTTPRequest(
            method: method,
            path: path,
            headers: headers,
            body: ByteBuffer(string: body),
            id: "test-1"
        )
        let response = await api.reply(to: request).response
        var text = ""
        switch response.body {
        case .bytes(let bytes): text = String(buffer: bytes)
        case .stream(let stream):
            let next = stream.makeIterator()
            while let part = try? await next() { text += String(buffer: part) }
        }
        return Answer(status: response.status.code, headers: response.headers, body: text)
    }
}

/// An answer with its body as text.
struct Answer {
    let status: UInt
    let headers: HTTPHeaders
    let body: String

    /// The body as JSON.
    var json: JSONText { get throws { try JSONText(body) } }
}

/// Any JSON, for comparison.
enum JSONText: Decodable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONText])
    case object([String: JSONText])

    init(_ text: String) throws {
        self = try JSONDecoder().decode(JSONText.self, from: Data(text.utf8))
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONText].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONText].self))
        }
    }

    subscript(key: String) -> JSONText? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    var array: [JSONText]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }
}
