import Coding
public import NIOHTTP1

/// Finds the route of a path; immutable, shared by all requests.
///
/// Of several templates that fit, at every segment a literal goes before a placeholder with a suffix, and
/// this before a plain placeholder.
///
/// ```swift
/// let router = Router([Route(.GET, "/v1/models/{model}") { _ in .now(HTTPResponse(status: .ok)) }])
/// if case .found(let route, let parameters) = router.match(.GET, path: "/v1/models/vowels") {
///     print(route.template, parameters["model"] ?? "")
/// }
/// ```
public struct Router: Sendable {
    /// What a router knows of a verb and a path.
    public enum Match: Sendable {
        /// The route, and what its placeholders caught.
        case found(Route, PathParameters)
        /// The path exists, with these verbs only; `OPTIONS` among them.
        case methodNotAllowed(allowed: [HTTPMethod], template: PathTemplate)
        /// The request asks by `OPTIONS` which verbs the path has.
        case options(allowed: [HTTPMethod], template: PathTemplate?)
        /// No template fits.
        case notFound
        /// The path is not percent-encoded UTF-8.
        case malformed
    }

    /// All routes, in the order they were given.
    public let routes: [Route]
    private let root: RouteNode

    /// A router over some routes.
    ///
    /// - Parameter routes: No two with the same verb and template; of such, the last one counts.
    public init(_ routes: [Route]) {
        self.routes = routes
        root = RouteNode(routes)
    }

    /// Finds the route for a request.
    ///
    /// - Parameters:
    ///   - method: The verb.
    ///   - path: Percent-encoded, without query.
    /// - Returns: The route, or why there is none.
    /// - Complexity: O(path), independent of the number of routes as long as few share a prefix.
    public func match(_ method: HTTPMethod, path: String) -> Match {
        if path == "*", method == .OPTIONS {
            return .options(allowed: allowed(routes), template: nil)
        }
        var path = path
        var parameters = PathParameters()
        let routes: [Route]? = path.withUTF8 { bytes in
            guard bytes.first == UInt8(ascii: "/"), PercentEncoding.isValid(bytes) else { return nil }
            return root.find(UnsafeBufferPointer(rebasing: bytes[1...]), parameters: &parameters) ?? []
        }
        guard let found = routes else { return .malformed }
        guard let first = found.first else { return .notFound }
        let wanted: HTTPMethod = method == .HEAD ? .GET : method
        if let route = found.last(where: { $0.method == wanted }) { return .found(route, parameters) }
        let allowed = allowed(found)
        return method == .OPTIONS
            ? .options(allowed: allowed, template: first.template)
            : .methodNotAllowed(allowed: allowed, template: first.template)
    }

    private func allowed(_ routes: [Route]) -> [HTTPMethod] {
        var names = Set(routes.map(\.method.rawValue))
        if names.contains("GET") { names.insert("HEAD") }
        names.insert("OPTIONS")
        return names.sorted().map(HTTPMethod.init(rawValue:))
    }
}
