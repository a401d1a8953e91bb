import CZlib
import NIOCore

/// Takes compressed bodies apart, within limits: a few bytes can stand for a thousand times as many.
struct Inflation: Sendable {
    /// Up to this many bytes a body may come to whatever its ratio.
    static let freeBytes = 64 << 10

    /// The most bytes of a body after inflation.
    let maxBytes: Int
    /// How many times as long as it came a body may become.
    let maxRatio: Int

    /// The bytes a compressed body stands for.
    ///
    /// - Throws: ``Rejection/bodyTooLarge(limit:)``, ``Rejection/inflatesTooMuch(ratio:)``, or
    ///   ``Rejection/malformed(reason:)`` if the body is not in its coding, or not whole.
    /// - Complexity: Stops at the limit, before memory is taken for more.
    func inflate(_ body: ByteBuffer, _ coding: ContentCoding) throws(Rejection) -> ByteBuffer {
        let (product, overflows) = body.readableBytes.multipliedReportingOverflow(by: maxRatio)
        let byRatio = max(Self.freeBytes, overflows ? .max : product)
        let limit = min(maxBytes, byRatio)
        let format: Format = coding == .gzip ? .gzip : Self.isZlib(body) ? .zlib : .raw
        let result = body.withUnsafeReadableBytes { input in
            Self.run(input, format, limit: limit)
        }
        switch result {
        case .whole(let bytes): return bytes
        case .tooLong:
            throw limit == maxBytes ? .bodyTooLarge(limit: maxBytes) : .inflatesTooMuch(ratio: maxRatio)
        case .broken: throw .malformed(reason: "the body is not \(coding.rawValue), or not whole")
        }
    }

    private enum Format: CInt {
        // As `inflateInit2` takes them: the logarithm of the window, and what is around the data.
        case gzip = 31
        case zlib = 15
        case raw = -15
    }

    private enum Outcome {
        case whole(ByteBuffer)
        case tooLong
        case broken
    }

    /// `deflate` means the zlib format; some clients send the data without it (RFC 9110, section 8.4.1.2).
    private static func isZlib(_ body: ByteBuffer) -> Bool {
        guard let header = body.getInteger(at: body.readerIndex, as: UInt16.self) else { return true }
        return header >> 8 & 0x0F == 8 && header % 31 == 0
    }

    private static func run(_ input: UnsafeRawBufferPointer, _ format: Format, limit: Int) -> Outcome {
        // zlib keeps the address of the stream, so it must not move.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        let version = inflateInit2_(stream, format.rawValue, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
        guard version == Z_OK, input.count <= UInt32.max else { return .broken }
        defer { inflateEnd(stream) }
        let bytes = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.next_in = bytes
        stream.pointee.avail_in = UInt32(input.count)
        var output = ByteBuffer()
        output.reserveCapacity(min(limit, max(4096, input.count * 4)))
        while true {
            // One byte more than the limit tells a body of just that length from a longer one.
            let room = min(max(output.writableBytes, 64 << 10), limit + 1 - output.readableBytes)
            guard room > 0 else { return .tooLong }
            var status = Z_OK
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
                stream.pointee.next_out = space.bindMemory(to: UInt8.self).baseAddress
                stream.pointee.avail_out = UInt32(clamping: room)
                let offered = Int(stream.pointee.avail_out)
                status = CZlib.inflate(stream, Z_NO_FLUSH)
                return offered - Int(stream.pointee.avail_out)
            }
            if output.readableBytes > limit { return .tooLong }
            switch status {
            case Z_OK: continue
            case Z_STREAM_END where stream.pointee.avail_in == 0: return .whole(output)
            // A gzip file may have several members.
            case Z_STREAM_END where format == .gzip && inflateReset(stream) == Z_OK: continue
            default: return .broken
            }
        }
    }
}
