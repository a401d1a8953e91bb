import Coding
import NIOCore
import NIOHTTP1

/// Compresses the answers of one request, as its client asked for.
struct AnswerCoding: Sendable {
    /// Shorter bodies are not worth it: they fit one packet.
    static let leastBytes = 1024
    /// Longer ones are compressed off the event loop.
    static let mostInlineBytes = 16 << 10

    let coding: ContentCoding
    let level: Int

    /// Whether an answer is to be compressed: not if it is short, compressed already, or of a kind that gains nothing.
    func applies(to response: HTTPResponse) -> Bool {
        if case .bytes(let bytes) = response.body, bytes.readableBytes < Self.leastBytes { return false }
        guard response.status.mayHaveResponseBody, !response.headers.contains(name: "content-encoding"),
            let type = response.headers.first(name: "content-type")
        else { return false }
        return type.hasPrefix("text/") || type.hasPrefix("application/") && type != "application/octet-stream"
    }

    /// The answer, compressed if it gains by it.
    func apply(_ response: HTTPResponse) async -> HTTPResponse {
        guard applies(to: response) else { return response }
        if case .bytes(let bytes) = response.body, bytes.readableBytes > Self.mostInlineBytes {
            return await withTaskExecutorPreference(globalConcurrentExecutor) { applied(response) }
        }
        return applied(response)
    }

    /// The answer compressed; unchanged if there is no memory for that.
    func applied(_ response: HTTPResponse) -> HTTPResponse {
        var response = response
        switch response.body {
        case .bytes(let bytes):
            guard let deflater = Deflater(coding, level: level, expectedBytes: bytes.readableBytes) else {
                return response
            }
            response.body = .bytes(deflater.last(bytes))
        case .stream(let stream):
            guard let deflater = Deflater(coding, level: level, expectedBytes: .max) else { return response }
            response.body = .stream(stream.compressed(by: deflater))
        }
        response.headers.replaceOrAdd(name: "Content-Encoding", value: coding.rawValue)
        response.headers.add(name: "Vary", value: "Accept-Encoding")
        return response
    }
}

extension BodyStream {
    /// The stream, each part compressed for itself so that it is not held back.
    fileprivate func compressed(by deflater: Deflater) -> BodyStream {
        let parts = CompressedParts(deflater, makeIterator())
        return BodyStream { try await parts.next() }
    }
}

/// The compressed parts of a stream.
///
/// `@unchecked Sendable`: ``BodyStream`` hands it to the one task that writes the answer, and this calls
/// `next` only after the call before has returned.
private final class CompressedParts: @unchecked Sendable {
    private let deflater: Deflater
    private let source: BodyStream.Next
    private var isEnded = false

    init(_ deflater: Deflater, _ source: @escaping BodyStream.Next) {
        self.deflater = deflater
        self.source = source
    }

    func next() async throws -> ByteBuffer? {
        guard !isEnded else { return nil }
        guard let part = try await source() else {
            isEnded = true
            return deflater.last()
        }
        guard part.readableBytes > 0 else { return part }
        guard part.readableBytes > AnswerCoding.mostInlineBytes else { return deflater.part(part) }
        return await withTaskExecutorPreference(globalConcurrentExecutor) { [deflater] in
            deflater.part(part)
        }
    }
}
