public import NIOCore

/// The parts of a body, made one at a time when the one before has gone out: back-pressure by construction.
///
/// ```swift
/// let stream = BodyStream(AsyncStream { $0.yield(ByteBuffer(string: "line\n")); $0.finish() })
/// ```
public struct BodyStream: Sendable {
    /// Asks for the next part.
    typealias Next = @Sendable () async throws -> ByteBuffer?
    let makeIterator: @Sendable () -> Next

    /// A body from any asynchronous sequence of parts.
    ///
    /// - Parameter parts: Iterated once. Empty parts are skipped. An error breaks the connection off, so
    ///   that the client sees that the body is not whole.
    public init<Parts: AsyncSequence & Sendable>(_ parts: Parts) where Parts.Element == ByteBuffer {
        makeIterator = {
            let iterator = IteratorBox(parts.makeAsyncIterator())
            return { try await iterator.next() }
        }
    }

    /// A body from a function that makes the next part.
    ///
    /// - Parameter next: Called again and again, never twice at once, until it returns nil; an error breaks
    ///   the connection off.
    public init(next: @escaping @Sendable () async throws -> ByteBuffer?) {
        makeIterator = { next }
    }
}

/// An iterator that one task uses.
///
/// `@unchecked Sendable`: ``BodyStream`` hands it to the one task that writes the answer, and this calls
/// `next` only after the call before has returned.
private final class IteratorBox<Iterator: AsyncIteratorProtocol>: @unchecked Sendable
where Iterator.Element == ByteBuffer {
    private var iterator: Iterator

    init(_ iterator: Iterator) {
        self.iterator = iterator
    }

    func next() async throws -> ByteBuffer? {
        try await iterator.next()
    }
}
