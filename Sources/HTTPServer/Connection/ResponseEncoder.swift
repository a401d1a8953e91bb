import NIOCore
import NIOHTTP1

/// Writes the head of an answer as bytes.
struct ResponseEncoder {
    /// How the end of the body is told.
    enum Framing: Equatable {
        /// No body may follow, nor a length (204, 304).
        case none
        case length(Int)
        case chunked
        /// The end of the connection is the end of the body (streams to HTTP/1.0).
        case close
    }

    /// Bodies up to this size travel in the same buffer as the head.
    static let maxInlineBodyBytes = 8 << 10

    private var date = HTTPDate()

    /// The bytes of the head, up to and with the empty line; `bodyBytes` more are reserved.
    ///
    /// Header fields that would break the framing are left out.
    mutating func encode(
        _ response: HTTPResponse,
        framing: Framing,
        head: RequestAssembler.Head,
        keepAlive: Bool,
        reserving bodyBytes: Int,
        allocator: ByteBufferAllocator
    ) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: 320 + bodyBytes)
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString(String(response.status.code))
        buffer.writeStaticString(" ")
        buffer.writeString(response.status.reasonPhrase)
        buffer.writeStaticString("\r\n")
        for (name, value) in response.headers where Self.isAllowed(name) {
            buffer.writeString(name)
            buffer.writeStaticString(": ")
            Self.write(value: value, to: &buffer)
            buffer.writeStaticString("\r\n")
        }
        switch framing {
        case .length(let length):
            buffer.writeStaticString("Content-Length: ")
            buffer.writeString(String(length))
            buffer.writeStaticString("\r\n")
        case .chunked:
            buffer.writeStaticString("Transfer-Encoding: chunked\r\n")
        case .none, .close:
            break
        }
        if !keepAlive {
            buffer.writeStaticString("Connection: close\r\n")
        } else if head.isVersion10 {
            buffer.writeStaticString("Connection: keep-alive\r\n")
        }
        buffer.writeStaticString("X-Request-Id: ")
        buffer.writeString(head.requestID)
        buffer.writeStaticString("\r\nDate: ")
        buffer.writeString(date.now())
        buffer.writeStaticString("\r\n\r\n")
        return buffer
    }

    /// A part of a chunked body.
    static func chunk(_ part: ByteBuffer, allocator: ByteBufferAllocator) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: part.readableBytes + 20)
        buffer.writeString(String(part.readableBytes, radix: 16))
        buffer.writeStaticString("\r\n")
        buffer.writeImmutableBuffer(part)
        buffer.writeStaticString("\r\n")
        return buffer
    }

    private static func isAllowed(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: !FieldName.equal(name, "date")
        case 10: !FieldName.equal(name, "connection")
        case 12: !FieldName.equal(name, "x-request-id")
        case 14: !FieldName.equal(name, "content-length")
        case 17: !FieldName.equal(name, "transfer-encoding")
        default: true
        }
    }

    /// A value may carry what a client sent: line ends and control characters become spaces.
    private static func write(value: String, to buffer: inout ByteBuffer) {
        guard value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            buffer.writeString(value)
            return
        }
        buffer.writeBytes(value.utf8.lazy.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: " ") : $0 })
    }
}
