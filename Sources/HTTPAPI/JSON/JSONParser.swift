import CSimdJSON
import NIOConcurrencyHelpers
import NIOCore

/// A simdjson parser with its memory.
///
/// Invariant that makes it `Sendable`: ``JSONParserPool`` gives a parser to one caller at a time.
final class JSONParser: @unchecked Sendable {
    let handle: OpaquePointer
    let maxDepth: Int

    /// Nil if there is no memory.
    init?(maxDepth: Int) {
        guard let handle = csj_create(maxDepth + 1) else { return nil }
        self.handle = handle
        self.maxDepth = maxDepth
    }

    deinit { csj_destroy(handle) }

    /// Parses and returns the root; on failure says where.
    ///
    /// `readable` may reach beyond `text`, which spares a copy.
    func parse(_ text: UnsafeRawBufferPointer, readable: Int) throws(BodyError) -> JSONValue {
        let bytes = text.assumingMemoryBound(to: UInt8.self)
        let status = csj_parse(handle, bytes.baseAddress, bytes.count, readable)
        switch status {
        case CSJ_OK: return JSONValue(parser: handle, at: csj_root(handle))
        case CSJ_TOO_LARGE, CSJ_NO_MEMORY: throw .invalidJSON(.tooLarge, at: BodyPlace())
        default: break
        }
        // A slow second look finds the place. It may also find nothing wrong: simdjson takes no integer
        // beyond 64 bits, which JSON allows; with an exponent it reads them as doubles.
        var scanner = JSONScanner(bytes, maxDepth: maxDepth)
        try scanner.scan()
        guard status != CSJ_TOO_DEEP else { throw .invalidJSON(.tooDeep(limit: maxDepth), at: BodyPlace()) }
        let rewritten = scanner.withExponents()
        let again = rewritten.withUnsafeBufferPointer {
            csj_parse(handle, $0.baseAddress, $0.count, $0.count)
        }
        guard again == CSJ_OK else { throw .invalidJSON(.unexpectedByte(offset: 0), at: BodyPlace()) }
        return JSONValue(parser: handle, at: csj_root(handle))
    }
}

/// Parsers to reuse, so that a request allocates no parser memory.
///
/// A parser that grew beyond ``keptBytes`` is not kept, so idle memory is bounded by ``keptParsers`` times
/// some ten times ``keptBytes``.
struct JSONParserPool: Sendable {
    static let shared = JSONParserPool()
    static let keptParsers = 16
    static let keptBytes = 1 << 20

    private let idle = NIOLockedValueBox<[JSONParser]>([])

    /// Parses a text and hands its root to a closure; the value is valid only inside.
    func withParsed<R>(
        _ text: UnsafeRawBufferPointer,
        readable: Int,
        maxDepth: Int,
        _ body: (JSONValue) throws(BodyError) -> R
    ) throws(BodyError) -> R {
        let kept = idle.withLockedValue { parsers in
            parsers.lastIndex { $0.maxDepth == maxDepth }.map { parsers.remove(at: $0) }
        }
        guard let parser = kept ?? JSONParser(maxDepth: maxDepth) else {
            throw .invalidJSON(.tooLarge, at: BodyPlace())
        }
        defer {
            if csj_capacity(parser.handle) <= Self.keptBytes {
                idle.withLockedValue { if $0.count < Self.keptParsers { $0.append(parser) } }
            }
        }
        return try body(parser.parse(text, readable: readable))
    }

    /// Parses a buffer's readable bytes; the bytes after them in its storage serve as padding.
    func withParsed<R>(
        _ buffer: ByteBuffer,
        maxDepth: Int,
        _ body: (JSONValue) throws(BodyError) -> R
    ) throws(BodyError) -> R {
        var result: Result<R, BodyError> = .failure(.invalidJSON(.empty, at: BodyPlace()))
        buffer.withVeryUnsafeBytes { storage in
            let text = UnsafeRawBufferPointer(rebasing: storage[buffer.readerIndex..<buffer.writerIndex])
            do throws(BodyError) {
                result = .success(
                    try withParsed(
                        text,
                        readable: storage.count - buffer.readerIndex,
                        maxDepth: maxDepth,
                        body
                    )
                )
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }
}
