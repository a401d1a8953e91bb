import CZlib
public import NIOCore

/// Compresses one body, whole or part by part.
///
/// `@unchecked Sendable`: used by one task at a time, as the parts of a body are made one after the other.
public final class Deflater: @unchecked Sendable {
    // zlib keeps the address of the stream, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    /// A compressor; nil if there is no memory for one.
    ///
    /// - Parameters:
    ///   - coding: The format.
    ///   - level: 1 (fast) ... 9 (small).
    ///   - expectedBytes: How long the body is, as far as is known: a short one needs less memory.
    public init?(_ coding: ContentCoding, level: Int, expectedBytes: Int) {
        let isShort = expectedBytes <= 8 << 10
        let window: CInt = isShort ? 13 : 15
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = deflateInit2_(
            stream,
            CInt(level),
            Z_DEFLATED,
            coding == .gzip ? window + 16 : window,
            isShort ? 6 : 8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            CInt(MemoryLayout<z_stream>.size)
        )
        guard status == Z_OK else { return nil }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Compresses a part so that the reader can have all of it at once.
    ///
    /// - Parameter bytes: The part.
    /// - Returns: What to send for it.
    public func part(_ bytes: ByteBuffer) -> ByteBuffer {
        run(bytes, flush: Z_SYNC_FLUSH)
    }

    /// Compresses the last part, which may be empty, and ends the body.
    ///
    /// - Parameter bytes: The part, or the whole body if there was none before.
    /// - Returns: What to send for it.
    public func last(_ bytes: ByteBuffer = ByteBuffer()) -> ByteBuffer {
        run(bytes, flush: Z_FINISH)
    }

    private func run(_ bytes: ByteBuffer, flush: CInt) -> ByteBuffer {
        var rest = bytes
        var output = ByteBuffer()
        // zlib counts in 32 bits.
        while let slice = rest.readSlice(length: min(rest.readableBytes, 1 << 30)) {
            let isLast = rest.readableBytes == 0
            feed(slice, flush: isLast ? flush : Z_NO_FLUSH, to: &output)
            if isLast { break }
        }
        return output
    }

    private func feed(_ bytes: ByteBuffer, flush: CInt, to output: inout ByteBuffer) {
        bytes.withUnsafeReadableBytes { input in
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: input.bindMemory(to: UInt8.self).baseAddress
            )
            stream.pointee.avail_in = UInt32(clamping: input.count)
            var isFull = true
            while isFull {
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: max(256, input.count / 4)) { space in
                    stream.pointee.next_out = space.bindMemory(to: UInt8.self).baseAddress
                    stream.pointee.avail_out = UInt32(clamping: space.count)
                    let offered = Int(stream.pointee.avail_out)
                    _ = deflate(stream, flush)
                    isFull = stream.pointee.avail_out == 0
                    return offered - Int(stream.pointee.avail_out)
                }
            }
            stream.pointee.next_in = nil
        }
    }
}
