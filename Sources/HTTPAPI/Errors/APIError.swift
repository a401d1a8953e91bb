import HTTPServer
public import NIOHTTP1
import Serving

/// What a client is told of an error: the one place where errors become statuses.
///
/// The body is `{"error", "code", "status", "path", "request_id"}`, `path` only if a place is to blame.
public struct APIError: Error, Hashable, Sendable {
    /// The kind of an error, for programs to act on.
    public enum Code: String, Sendable, CaseIterable {
        /// The body is not JSON (or FASTA), or a value has another JSON type: 400.
        case invalidJSON = "invalid_json"
        /// The body breaks a rule of the model or a limit: 422.
        case invalidInput = "invalid_input"
        /// Keys are asked for, and there is none or an unknown one: 401.
        case unauthorized
        /// The key is not for this: 403.
        case forbidden
        /// No such model or version: 404.
        case modelNotFound = "model_not_found"
        /// No such path: 404.
        case notFound = "not_found"
        /// The path has other verbs: 405.
        case methodNotAllowed = "method_not_allowed"
        /// The client takes no media type the route has: 406.
        case notAcceptable = "not_acceptable"
        /// The request is not HTTP: 400, 417, 501 or 505.
        case malformedRequest = "malformed_request"
        /// The request did not arrive in time: 408.
        case requestTimeout = "request_timeout"
        /// The body is too large: 413.
        case payloadTooLarge = "payload_too_large"
        /// The body has a media type or coding the route does not take: 415.
        case unsupportedMediaType = "unsupported_media_type"
        /// The head is too large: 431.
        case headerTooLarge = "header_too_large"
        /// Too many requests wait, or too many connections are open: 429 or 503.
        case overloaded
        /// The caller went away: 499, which nobody sees.
        case cancelled
        /// The model is loading, has failed to load, or the server is stopping: 503.
        case notReady = "not_ready"
        /// Anything else: 500, with the request id only.
        case `internal`
        /// The answer was not there in time: 504.
        case deadlineExceeded = "deadline_exceeded"
    }

    /// The limit that an overload has met, as figures name it.
    enum Overload: String, Sendable {
        case requests
        case rows
        case connections
    }

    /// The status.
    public let status: HTTPResponseStatus
    /// The kind.
    public let code: Code
    /// One sentence that names the rule and the limit.
    public let message: String
    /// The place in the body, such as `instances[3]`; nil if no place is to blame.
    public let path: String?
    /// Header fields that belong to the error, such as `Allow`.
    public let headers: HTTPHeaders
    /// Which limit was met, if one of load was.
    let overload: Overload?
    /// The first faults, if several sequences are to blame.
    public var faults: [Fault] = []
    /// The number of sequences that are to blame; 0 if there are not several.
    public var faultCount = 0

    private init(
        _ status: HTTPResponseStatus,
        _ code: Code,
        _ message: String,
        path: String? = nil,
        headers: HTTPHeaders = [:],
        overload: Overload? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.path = path
        self.headers = headers
        self.overload = overload
    }

    /// Equal if all but the header fields are.
    ///
    /// - Parameter hasher: Takes status, code, message and path.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(status.code)
        hasher.combine(code)
        hasher.combine(message)
        hasher.combine(path)
    }

    /// Any error at all; one that is none of this module's, the server's or serving's is `internal`.
    ///
    /// - Parameters:
    ///   - error: The error.
    ///   - place: The name of the place of a sequence, by its number in the request.
    public init(_ error: any Error, place: (Int) -> String = { "instances[\($0)]" }) {
        switch error {
        case let error as APIError: self = error
        case let error as BodyError: self.init(error)
        case ServingError.invalidSequences(let faults): self.init(faults, place: place)
        case let error as ServingError: self.init(error, place: place)
        case let error as InstanceFaults: self.init(error)
        case let error as RouteFault: self.init(error)
        case let error as Rejection: self.init(error)
        case let error as AccessDenied: self.init(error)
        default: self = .internalError
        }
    }

    private static let internalError = APIError(
        .internalServerError,
        .internal,
        "internal error; the server's log has the cause under this request id"
    )
    private static func retryAfter(_ seconds: Int = 1) -> HTTPHeaders { ["Retry-After": String(seconds)] }

    private init(_ error: BodyError) {
        let place = "\(error.place)"
        let path = place.isEmpty ? nil : place
        switch error {
        case .invalidJSON: self.init(.badRequest, .invalidJSON, error.message, path: path)
        case .invalidInput: self.init(.unprocessableEntity, .invalidInput, error.message, path: path)
        }
    }

    private init(_ error: ServingError, place: (Int) -> String) {
        switch error {
        case .invalidInput(let index, let reason):
            self.init(.unprocessableEntity, .invalidInput, "\(reason)", path: index.map(place))
        case .modelNotFound, .versionNotFound: self.init(.notFound, .modelNotFound, "\(error)")
        case .outputNotFound: self.init(.unprocessableEntity, .invalidInput, "\(error)", path: "outputs")
        case .layerNotFound(let name, _):
            self.init(.unprocessableEntity, .invalidInput, "\(error)", path: name == nil ? nil : "layer")
        case .layerInsideLoop: self.init(.unprocessableEntity, .invalidInput, "\(error)", path: "layer")
        case .overloaded(_, let seconds):
            let headers = Self.retryAfter(seconds)
            self.init(.tooManyRequests, .overloaded, "\(error)", headers: headers, overload: .requests)
        case .tooManyRowsQueued(_, let seconds):
            let headers = Self.retryAfter(seconds)
            self.init(.tooManyRequests, .overloaded, "\(error)", headers: headers, overload: .rows)
        case .notReady: self.init(.serviceUnavailable, .notReady, "\(error)", headers: Self.retryAfter())
        case .invalidSequences(let faults): self.init(faults, place: place)
        case .deadlineExceeded: self.init(.gatewayTimeout, .deadlineExceeded, "\(error)")
        case .cancelled:
            self.init(.custom(code: 499, reasonPhrase: "Client Closed Request"), .cancelled, "\(error)")
        case .executionFailed, .invalidRepository: self = .internalError
        }
    }

    private init(_ fault: RouteFault) {
        let message = "\(fault)"
        switch fault {
        case .notFound: self.init(.notFound, .notFound, message)
        case .methodNotAllowed(let allowed):
            let list = allowed.map(\.rawValue).joined(separator: ", ")
            self.init(.methodNotAllowed, .methodNotAllowed, message, headers: ["Allow": list])
        case .malformedPath: self.init(.badRequest, .malformedRequest, message)
        case .notAVersion: self.init(.notFound, .modelNotFound, message)
        case .unsupportedMediaType(let supported):
            let list = supported.joined(separator: ", ")
            self.init(.unsupportedMediaType, .unsupportedMediaType, message, headers: ["Accept-Post": list])
        case .malformedField: self.init(.badRequest, .malformedRequest, message)
        case .unsupportedContentCoding:
            let headers: HTTPHeaders = ["Accept-Encoding": "identity"]
            self.init(.unsupportedMediaType, .unsupportedMediaType, message, headers: headers)
        case .notAcceptable: self.init(.notAcceptable, .notAcceptable, message)
        }
    }

    private init(_ denied: AccessDenied) {
        let realm = "Bearer realm=\"seqnorm\""
        switch denied {
        case .missingKey:
            self.init(.unauthorized, .unauthorized, "\(denied)", headers: ["WWW-Authenticate": realm])
        case .unknownKey:
            let headers: HTTPHeaders = ["WWW-Authenticate": "\(realm), error=\"invalid_token\""]
            self.init(.unauthorized, .unauthorized, "\(denied)", headers: headers)
        case .missingScope: self.init(.forbidden, .forbidden, "\(denied)")
        }
    }

    private init(_ rejection: Rejection) {
        let code: Code
        var headers: HTTPHeaders = [:]
        var overload: Overload?
        switch rejection {
        case .malformed, .unsupportedTransferCoding, .unsupportedVersion, .unsupportedExpectation:
            code = .malformedRequest
        case .headerTooLarge: code = .headerTooLarge
        case .bodyTooLarge, .inflatesTooMuch: code = .payloadTooLarge
        case .unsupportedContentCoding:
            code = .unsupportedMediaType
            headers = ["Accept-Encoding": "gzip, deflate, identity"]
        case .requestTimeout, .bodyTimeout: code = .requestTimeout
        case .tooManyConnections:
            code = .overloaded
            headers = Self.retryAfter()
            overload = .connections
        }
        self.init(rejection.status, code, "\(rejection)", headers: headers, overload: overload)
    }
}
