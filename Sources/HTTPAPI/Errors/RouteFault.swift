import NIOHTTP1

/// Why a request that is good HTTP cannot be given to a route, or by a route to a model.
enum RouteFault: Error, Equatable {
    /// No route has this path.
    case notFound
    /// The path has other verbs.
    case methodNotAllowed(allowed: [HTTPMethod])
    /// The path is not percent-encoded UTF-8.
    case malformedPath
    /// The version in the path is not a whole number of at least 1.
    case notAVersion
    /// The body has a media type the route does not take.
    case unsupportedMediaType(supported: [String])
    /// The body is compressed.
    case unsupportedContentCoding
    /// A header field has a value that breaks its rule.
    case malformedField(name: String, rule: String)
    /// The client takes none of the media types the route answers in.
    case notAcceptable(supported: [String])
}

extension RouteFault: CustomStringConvertible {
    /// The rule, without a value of the request.
    var description: String {
        switch self {
        case .notFound: "nothing is at this path; see /openapi.yaml"
        case .methodNotAllowed(let allowed):
            "this path takes \(allowed.map(\.rawValue).joined(separator: ", ")) only"
        case .malformedPath: "the path is not percent-encoded UTF-8"
        case .notAVersion: "a version is a whole number of at least 1"
        case .unsupportedMediaType(let supported):
            "Content-Type must be one of \(supported.joined(separator: ", "))"
        case .unsupportedContentCoding: "the body must not be compressed (Content-Encoding: identity)"
        case .malformedField(let name, let rule): "\(name) must be \(rule)"
        case .notAcceptable(let supported):
            "the answer is \(supported.joined(separator: " or ")), which Accept excludes"
        }
    }
}
