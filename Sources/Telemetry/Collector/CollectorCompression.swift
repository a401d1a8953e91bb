import Coding
import NIOCore

/// How messages to a collector are compressed.
///
/// - SeeAlso: OpenTelemetry protocol exporter, `OTEL_EXPORTER_OTLP_COMPRESSION`.
public enum CollectorCompression: String, CaseIterable, Hashable, Sendable {
    /// Not at all.
    case nothing = "none"
    /// By gzip, at the level that costs the least time.
    case gzip

    /// What is sent for a message, and its `Content-Encoding`.
    ///
    /// - Returns: The message as it is if there is no memory to compress it.
    func apply(to message: ByteBuffer) -> (bytes: ByteBuffer, coding: ContentCoding?) {
        guard self == .gzip,
            let deflater = Deflater(.gzip, level: 1, expectedBytes: message.readableBytes)
        else { return (message, nil) }
        return (deflater.last(message), .gzip)
    }
}
