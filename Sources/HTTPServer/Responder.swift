/// What a ``Server`` asks for answers.
public protocol Responder: Sendable {
    /// Answers one request, off the event loop.
    ///
    /// The task is cancelled when the client goes away; the answer is then dropped.
    ///
    /// - Parameter request: The whole request.
    /// - Returns: The answer; errors are answers too.
    func respond(to request: HTTPRequest) async -> HTTPResponse

    /// Puts into words that the server itself turned a request down; called on the event loop.
    ///
    /// - Parameters:
    ///   - rejection: The reason, with its status.
    ///   - requestID: The request's id; made here if the head was not read.
    /// - Returns: The answer, with a body of known length.
    func reject(_ rejection: Rejection, requestID: String) -> HTTPResponse
}
