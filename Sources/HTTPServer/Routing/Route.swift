public import NIOHTTP1

/// A verb, a path template, and what answers it.
public struct Route: Sendable {
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
    /// What answers.
    public let handler: Handler

    /// A route.
    ///
    /// - Parameters:
    ///   - method: The verb.
    ///   - template: The path.
    ///   - handler: What answers.
    public init(_ method: HTTPMethod, _ template: PathTemplate, handler: @escaping Handler) {
        self.method = method
        self.template = template
        self.handler = handler
    }
}
