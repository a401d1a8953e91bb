import HTTPServer
import NIOHTTP1
import Serving
import Testing

@testable import HTTPAPI

@Suite struct APIErrorTests {
    struct Row: Sendable, CustomStringConvertible {
        let error: any Error
        let status: UInt
        let code: String
        var path: String?
        var header: String?

        init(_ error: any Error, _ status: UInt, _ code: String, path: String? = nil, header: String? = nil) {
            self.error = error
            self.status = status
            self.code = code
            self.path = path
            self.header = header
        }

        var description: String { "\(error)" }
    }

    static let rows: [Row] = [
        Row(BodyError.invalidJSON(.unexpectedEnd(offset: 3), at: BodyPlace()), 400, "invalid_json"),
        Row(
            BodyError.invalidInput(.emptySequence, at: BodyPlace([.key("instances"), .index(3)])),
            422,
            "invalid_input",
            path: "instances[3]"
        ),
        Row(
            BodyError.invalidInput(.letterOutsideAlphabet, at: BodyPlace([.key("sequence")], line: 2)),
            422,
            "invalid_input",
            path: "line 2, sequence"
        ),
        Row(
            ServingError.invalidInput(index: 3, reason: .emptySequence),
            422,
            "invalid_input",
            path: "instances[3]"
        ),
        Row(ServingError.invalidInput(index: nil, reason: .noSequences), 422, "invalid_input"),
        Row(ServingError.modelNotFound(name: "m"), 404, "model_not_found"),
        Row(ServingError.versionNotFound(name: "m", version: 2), 404, "model_not_found"),
        Row(ServingError.outputNotFound(name: "o", available: []), 422, "invalid_input", path: "outputs"),
        Row(ServingError.layerNotFound(name: "l", available: []), 422, "invalid_input", path: "layer"),
        Row(ServingError.layerInsideLoop(name: "l", available: []), 422, "invalid_input", path: "layer"),
        Row(ServingError.layerNotFound(name: nil, available: []), 422, "invalid_input"),
        Row(ServingError.notReady(reason: "loading"), 503, "not_ready", header: "retry-after"),
        Row(
            ServingError.overloaded(queuedRequests: 9, retrySeconds: 7),
            429,
            "overloaded",
            header: "retry-after"
        ),
        Row(
            ServingError.tooManyRowsQueued(rows: 9, retrySeconds: 7),
            429,
            "overloaded",
            header: "retry-after"
        ),
        Row(ServingError.deadlineExceeded, 504, "deadline_exceeded"),
        Row(
            ServingError.invalidSequences([
                SequenceFault(index: 2, error: .invalidInput(index: 2, reason: .emptySequence)),
                SequenceFault(index: 5, error: .invalidInput(index: 5, reason: .emptySequence)),
            ]),
            422,
            "invalid_input",
            path: "instances[2]"
        ),
        Row(
            InstanceFaults(faults: [
                InstanceFault(
                    index: 1,
                    error: .invalidInput(.emptySequence, at: BodyPlace([.key("instances"), .index(1)]))
                )
            ]),
            422,
            "invalid_input",
            path: "instances[1]"
        ),
        Row(
            RouteFault.malformedField(name: "X-Request-Timeout", rule: "a number"),
            400,
            "malformed_request"
        ),
        Row(ServingError.cancelled, 499, "cancelled"),
        Row(ServingError.executionFailed(reason: "secret"), 500, "internal"),
        Row(ServingError.invalidRepository(.notAModel(path: "secret")), 500, "internal"),
        Row(RouteFault.notFound, 404, "not_found"),
        Row(RouteFault.methodNotAllowed(allowed: [.GET, .HEAD]), 405, "method_not_allowed", header: "allow"),
        Row(RouteFault.malformedPath, 400, "malformed_request"),
        Row(RouteFault.notAVersion, 404, "model_not_found"),
        Row(
            RouteFault.unsupportedMediaType(supported: ["a/b"]),
            415,
            "unsupported_media_type",
            header: "accept-post"
        ),
        Row(RouteFault.unsupportedContentCoding, 415, "unsupported_media_type", header: "accept-encoding"),
        Row(RouteFault.notAcceptable(supported: ["a/b"]), 406, "not_acceptable"),
        Row(Rejection.malformed(reason: "x"), 400, "malformed_request"),
        Row(Rejection.unsupportedExpectation, 417, "malformed_request"),
        Row(Rejection.unsupportedTransferCoding, 501, "malformed_request"),
        Row(Rejection.unsupportedVersion, 505, "malformed_request"),
        Row(Rejection.requestTimeout(limit: .seconds(1)), 408, "request_timeout"),
        Row(Rejection.unsupportedContentCoding, 415, "unsupported_media_type", header: "accept-encoding"),
        Row(Rejection.inflatesTooMuch(ratio: 100), 413, "payload_too_large"),
        Row(Rejection.bodyTimeout(limit: .seconds(1)), 408, "request_timeout"),
        Row(Rejection.bodyTooLarge(limit: 1000), 413, "payload_too_large"),
        Row(Rejection.headerTooLarge(limit: 1000), 431, "header_too_large"),
        Row(Rejection.tooManyConnections(limit: 2), 503, "overloaded", header: "retry-after"),
        Row(AccessDenied.missingKey, 401, "unauthorized", header: "www-authenticate"),
        Row(AccessDenied.unknownKey, 401, "unauthorized", header: "www-authenticate"),
        Row(AccessDenied.missingScope(.metrics), 403, "forbidden"),
        Row(CancellationError(), 500, "internal"),
    ]

    @Test(arguments: rows) func `every error has its status and code`(row: Row) {
        let told = APIError(row.error)
        #expect(told.status.code == row.status)
        #expect(told.code.rawValue == row.code)
        #expect(told.path == row.path)
        #expect(told.headers.map { $0.name.lowercased() } == (row.header.map { [$0] } ?? []))
        #expect(!told.message.isEmpty)
        #expect(!told.message.contains("secret"))
    }

    @Test func `every code stands for some error`() {
        #expect(Set(Self.rows.map(\.code)) == Set(APIError.Code.allCases.map(\.rawValue)))
    }

    @Test func `a client is told when to come back, and figures which limit it has met`() {
        let requests = APIError(ServingError.overloaded(queuedRequests: 9, retrySeconds: 7))
        #expect(requests.headers["retry-after"] == ["7"] && requests.overload == .requests)
        let rows = APIError(ServingError.tooManyRowsQueued(rows: 9, retrySeconds: 60))
        #expect(rows.headers["retry-after"] == ["60"] && rows.overload == .rows)
        let connections = APIError(Rejection.tooManyConnections(limit: 9))
        #expect(connections.headers["retry-after"] == ["1"] && connections.overload == .connections)
        #expect(APIError(ServingError.notReady(reason: "loading")).overload == nil)
    }

    @Test func `limits are named`() {
        #expect(APIError(Rejection.bodyTooLarge(limit: 1000)).message.contains("1000"))
        #expect(APIError(Rejection.headerTooLarge(limit: 1000)).message.contains("1000"))
    }

    @Test func `an error is told as one json object`() throws {
        let error = APIError(ServingError.invalidInput(index: 3, reason: .emptySequence))
        let response = HTTPResponse(error, requestID: "r-1")
        guard case .bytes(let bytes) = response.body else { return #expect(Bool(false)) }
        let expected =
            #"{"code":"invalid_input","error":"a sequence needs at least one position","path":"instances[3]","#
            + #""request_id":"r-1","status":422}"#
        #expect(String(buffer: bytes) == expected)
        #expect(response.headers.first(name: "content-type") == "application/json")
    }

    @Test func `the place of a sequence is what the caller says it is`() {
        let told = APIError(ServingError.invalidInput(index: 3, reason: .emptySequence)) { "line \($0 + 10)" }
        #expect(told.path == "line 13")
    }
}
