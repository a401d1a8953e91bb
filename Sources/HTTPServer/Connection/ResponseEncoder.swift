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
        /// The end of the connection is the end of the body (streams to HTTP/1.0), or that of the stream (HTTP/2).
        case close
    }

    /// Bodies up to this size travel in the same buffer as the head.
    static let maxInlineBodyBytes = 8 << 10

    /// What the lines hold at most but the header fields, the reason and the request's id.
    private static let fixedBytes = 192

    var date = HTTPDate()

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
        let status = String(response.status.code)
        let reason = response.status.reasonPhrase
        let date = date.now()
        var capacity = Self.fixedBytes + reason.utf8.count + head.requestID.utf8.count
        for (name, value) in response.headers { capacity += name.utf8.count + value.utf8.count + 4 }
        var buffer = allocator.buffer(capacity: capacity + bodyBytes)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { bytes in
            var text = HeadText(bytes)
            text.write("HTTP/1.1 ")
            text.write(status)
            text.write(" ")
            text.write(reason)
            text.write("\r\n")
            for (name, value) in response.headers where Self.isAllowed(name) {
                text.write(name)
                text.write(": ")
                text.write(value: value)
                text.write("\r\n")
            }
            switch framing {
            case .length(let length):
                text.write("Content-Length: ")
                text.write(String(length))
                text.write("\r\n")
            case .chunked:
                text.write("Transfer-Encoding: chunked\r\n")
            case .none, .close:
                break
            }
            if !keepAlive {
                text.write("Connection: close\r\n")
            } else if head.isVersion10 {
                text.write("Connection: keep-alive\r\n")
            }
            text.write("X-Request-Id: ")
            text.write(head.requestID)
            text.write("\r\nDate: ")
            text.write(date)
            text.write("\r\n\r\n")
            return text.count
        }
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

    static func isAllowed(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: !FieldName.equal(name, "date")
        case 10: !FieldName.equal(name, "connection")
        case 12: !FieldName.equal(name, "x-request-id")
        case 14: !FieldName.equal(name, "content-length")
        case 17: !FieldName.equal(name, "transfer-encoding")
        default: true
        }
    }
}

/// Writes into memory that is known to be large enough.
private struct HeadText {
    private let bytes: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ bytes: UnsafeMutableRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func write(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// A value may carry what a client sent: line ends and control characters become spaces.
    mutating func write(value: String) {
        let start = count
        write(value)
        for index in start..<count where bytes[index] < 0x20 || bytes[index] == 0x7F {
            bytes[index] = UInt8(ascii: " ")
        }
    }

    private mutating func append(_ text: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyMemory(from: text)
        count += text.count
    }
}
