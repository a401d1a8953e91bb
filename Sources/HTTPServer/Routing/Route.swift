public import NIOHTTP1

/// A verb, a path template, and what answers it; immutable.
public final class Route: Sendable {
    /// Answers a request whose path parameters are set; an error is put into words by the responder.
    public typealias Handler = @Sendable (HTTPRequest) throws -> Outcome

    /// What a handler has come to: a ``Reply`` whose work may fail.
    public enum Outcome: Sendable {
        /// The answer.
        case now(HTTPResponse)
        /// What makes the answer, and may be suspended meanwhile.
        case later(@Sendable () async throws -> HTTPResponse)
    }

    /// The verb; a `GET` route answers `HEAD` as well.
    public let method: HTTPMethod
    /// The path.
    public let template: PathTemplate
    /// What a key must be for where keys are asked for; nil: the route is open to all.
    public let scope: AccessScope?
    /// What answers.
    public let handler: Handler

    /// A route.
    ///
    /// - Parameters:
    ///   - method: The verb.
    ///   - template: The path.
    ///   - scope: What a key must be for; nil: the route is open to all.
    ///   - handler: What answers.
    public init(
        _ method: HTTPMethod,
        _ template: PathTemplate,
        scope: AccessScope? = .infer,
        handler: @escaping Handler
    ) {
        self.scope = scope
        self.method = method
        self.template = template
        self.handler = handler
    }
}
