import CZlib
public import NIOCore

/// Takes one compressed body apart, in pieces of any size.
///
/// `@unchecked Sendable`: used by one task at a time, as the pieces of a body come one after the other.
public final class Inflater: @unchecked Sendable {
    /// What a step has come to.
    public enum Step: Sendable {
        /// There may be more without more input.
        case full
        /// More input is needed.
        case hungry
        /// The body may end here; what follows can only be another member of a gzip file.
        case complete
        /// The input is not in its coding.
        case broken
    }

    private enum Format: CInt {
        // As `inflateInit2` takes them: the logarithm of the window, and what is around the data.
        case gzip = 31
        case zlib = 15
        case raw = -15
    }

    // zlib keeps the address of the stream, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private let isGzip: Bool
    private var isComplete = false

    /// An inflater; nil if there is no memory for one.
    ///
    /// - Parameters:
    ///   - coding: The format.
    ///   - beginning: The body's first bytes, at least two if it has as many: `deflate` means the zlib format, and some
    ///     clients send the data without it (RFC 9110, section 8.4.1.2).
    public init?(_ coding: ContentCoding, beginning: ByteBuffer) {
        isGzip = coding == .gzip
        let format: Format = isGzip ? .gzip : Self.isZlib(beginning) ? .zlib : .raw
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let size = CInt(MemoryLayout<z_stream>.size)
        guard inflateInit2_(stream, format.rawValue, ZLIB_VERSION, size) == Z_OK else { return nil }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    private static func isZlib(_ beginning: ByteBuffer) -> Bool {
        guard let header = beginning.getInteger(at: beginning.readerIndex, as: UInt16.self) else {
            return true
        }
        return header >> 8 & 0x0F == 8 && header % 31 == 0
    }

    /// Takes in what it can.
    ///
    /// - Parameters:
    ///   - input: What has come; what is taken is gone from it.
    ///   - output: Gets at most `room` bytes more.
    ///   - room: At least 1.
    /// - Returns: How it goes on. Behind `complete` and `broken` there may be input left, of which the latter is at fault.
    public func step(_ input: inout ByteBuffer, into output: inout ByteBuffer, room: Int) -> Step {
        if isComplete {
            guard input.readableBytes > 0 else { return .complete }
            guard isGzip, inflateReset(stream) == Z_OK else { return .broken }
            isComplete = false
        }
        var status = Z_OK
        var isFull = false
        input.readWithUnsafeReadableBytes { bytes in
            // zlib counts in 32 bits, and does not write to its input.
            let offered = UInt32(clamping: min(bytes.count, 1 << 30))
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: bytes.bindMemory(to: UInt8.self).baseAddress
            )
            stream.pointee.avail_in = offered
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
                stream.pointee.next_out = space.bindMemory(to: UInt8.self).baseAddress
                stream.pointee.avail_out = UInt32(clamping: room)
                let offered = Int(stream.pointee.avail_out)
                status = inflate(stream, Z_NO_FLUSH)
                isFull = stream.pointee.avail_out == 0
                return offered - Int(stream.pointee.avail_out)
            }
            stream.pointee.next_in = nil
            return Int(offered - stream.pointee.avail_in)
        }
        switch status {
        case Z_OK: return isFull || input.readableBytes > 0 ? .full : .hungry
        // Neither is there input, nor is anything held back.
        case Z_BUF_ERROR: return .hungry
        case Z_STREAM_END:
            isComplete = true
            return input.readableBytes > 0 ? .full : .complete
        default: return .broken
        }
    }
}
