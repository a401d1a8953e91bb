/// What a ``Server`` asks for answers.
public protocol Responder: Sendable {
    /// Answers one request: on the event loop's thread if its body is at most
    /// ``ServerConfiguration/maxInlineBodyBytes`` long, else on Swift's cooperative pool.
    ///
    /// Neither may be held up, so work that grows with the answer has to go elsewhere.
    /// What answers later runs in a task of the same thread or pool, which is cancelled when the client goes
    /// away; the answer is then dropped.
    ///
    /// - Parameter request: The whole request.
    /// - Returns: The answer, or what makes it; errors are answers too.
    func reply(to request: HTTPRequest) -> Reply

    /// Looks at the head of a request before its body is read, if ``ServerConfiguration/asksBeforeBody``.
    ///
    /// Called on the event loop for requests with a body only; ``reply(to:)`` has to check for itself.
    ///
    /// - Parameter request: The request without its body.
    /// - Returns: The answer that ends the connection instead; nil if the body may come.
    func refusal(of request: HTTPRequest) -> HTTPResponse?

    /// Whether a request should be given to ``reply(to:)`` before its body has come; called on the event loop.
    ///
    /// Asked of requests whose body is long or of unknown length only. False unless said otherwise.
    ///
    /// - Parameter request: The request without its body.
    /// - Returns: Whether to set ``HTTPRequest/stream`` instead of ``HTTPRequest/body``.
    func wantsStream(_ request: HTTPRequest) -> Bool

    /// Puts into words that the server itself turned a request down; called on any thread.
    ///
    /// - Parameters:
    ///   - rejection: The reason, with its status.
    ///   - requestID: The request's id; made here if the head was not read.
    /// - Returns: The answer, with a body of known length.
    func reject(_ rejection: Rejection, requestID: String) -> HTTPResponse
}

extension Responder {
    /// Lets every body come.
    ///
    /// - Parameter request: The request without its body.
    /// - Returns: Nil.
    public func refusal(of request: HTTPRequest) -> HTTPResponse? { nil }

    /// Every request waits for its body.
    ///
    /// - Parameter request: The request without its body.
    /// - Returns: False.
    public func wantsStream(_ request: HTTPRequest) -> Bool { false }
}
