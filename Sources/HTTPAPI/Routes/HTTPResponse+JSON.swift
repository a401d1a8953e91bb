import FoundationEssentials
import HTTPServer
import NIOCore
import NIOHTTP1

extension HTTPResponse {
    /// A JSON answer of a small value; large ones have encoders of their own.
    static func json(_ value: some Encodable, status: HTTPResponseStatus = .ok) -> HTTPResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Fails only for NaN and infinity, which no value of ours holds.
        let bytes = (try? encoder.encode(value)) ?? Data("{}".utf8)
        return .json(bytes: ByteBuffer(bytes: bytes), status: status)
    }

    private static let jsonHeaders: HTTPHeaders = ["Content-Type": MediaType.json.rawValue]

    /// A JSON answer that is written already.
    static func json(bytes: ByteBuffer, status: HTTPResponseStatus = .ok) -> HTTPResponse {
        HTTPResponse(status: status, headers: jsonHeaders, body: bytes)
    }

    /// A text that never changes while the process runs.
    static func text(_ text: String, type: String) -> HTTPResponse {
        HTTPResponse(status: .ok, headers: ["Content-Type": type], body: ByteBuffer(string: text))
    }
}
