/// The upper half of a float32: its sign, its 8 bits of exponent, and 7 of its significand.
///
/// It holds a value; arithmetic is done in ``Float``.
public struct BFloat16: BitwiseCopyable, Sendable, Equatable {
    /// Sign, exponent, significand.
    public let bitPattern: UInt16

    /// The nearest value, halves to even; NaN stays NaN.
    ///
    /// - Parameter value: A number.
    public init(_ value: Float) {
        let bits = value.bitPattern
        guard !value.isNaN else {
            bitPattern = UInt16(bits >> 16) | 0x40
            return
        }
        bitPattern = UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
    }

    /// The value, which float32 holds exactly.
    public var float: Float { Float(bitPattern: UInt32(bitPattern) << 16) }
}

extension BFloat16: TensorElement {
    /// bfloat16.
    public static var elementType: ElementType { .bfloat16 }
}

extension Float16: TensorElement {
    /// float16.
    public static var elementType: ElementType { .float16 }
}
