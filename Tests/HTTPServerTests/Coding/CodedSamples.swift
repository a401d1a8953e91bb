import Coding
import NIOCore
import Testing

/// Bytes that come to about half their number when they are compressed.
func halfRandom(_ count: Int) -> ByteBuffer {
    var state: UInt64 = 7
    return ByteBuffer(
        bytes: (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 60) &+ UInt8(ascii: "0")
        }
    )
}

/// A body in a coding.
func coded(_ bytes: ByteBuffer, _ coding: ContentCoding = .gzip, level: Int = 9) throws -> ByteBuffer {
    try #require(Deflater(coding, level: level, expectedBytes: bytes.readableBytes)).last(bytes)
}
