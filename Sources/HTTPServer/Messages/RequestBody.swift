public import NIOCore

/// The body of a request in parts, as they come; the client is held up while nobody asks for the next.
public struct RequestBody: Sendable {
    private let take: @Sendable () async throws -> ByteBuffer?

    /// A body from a function that gives the next part.
    ///
    /// - Parameter next: Called again and again, never twice at once, until it returns nil; throws if the body does
    ///   not come whole.
    public init(next: @escaping @Sendable () async throws -> ByteBuffer?) {
        take = next
    }

    /// The next part.
    ///
    /// - Returns: Some bytes; nil behind the last ones.
    /// - Throws: Whatever keeps the body from coming whole: the client has gone, or is too slow.
    public func next() async throws -> ByteBuffer? { try await take() }
}
