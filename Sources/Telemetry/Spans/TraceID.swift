/// The name of a trace: 16 bytes, not all zero.
public struct TraceID: Hashable, Sendable, CustomStringConvertible {
    /// The first 8 bytes.
    public let high: UInt64
    /// The last 8 bytes, which sampling looks at.
    public let low: UInt64

    /// A name; the caller sees to it that it is not zero.
    ///
    /// - Parameters:
    ///   - high: The first 8 bytes.
    ///   - low: The last 8 bytes.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 32 hexadecimal digits.
    public var description: String { high.hexDigits + low.hexDigits }
}

/// The name of a span in its trace: 8 bytes, not all zero.
public struct SpanID: Hashable, Sendable, CustomStringConvertible {
    /// The 8 bytes.
    public let bits: UInt64

    /// A name; the caller sees to it that it is not zero.
    ///
    /// - Parameter bits: The 8 bytes.
    public init(_ bits: UInt64) {
        self.bits = bits
    }

    /// 16 hexadecimal digits.
    public var description: String { bits.hexDigits }
}

extension UInt64 {
    fileprivate var hexDigits: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
