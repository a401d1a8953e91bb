/// A finite number as an integer times a power of two: `± (high * 2^64 + low) * 2^exponent`.
struct ExactTerm {
    var high: UInt64
    var low: UInt64
    var exponent: Int
    var isNegative: Bool

    /// The value of a double; nil for NaN and the infinities.
    @inline(__always)
    init?(_ value: Double) {
        guard let parts = Significand(value) else { return nil }
        (high, low, exponent, isNegative) = (0, parts.magnitude, parts.exponent, parts.isNegative)
    }

    /// The product of two doubles, without rounding; nil if one is NaN or infinite.
    @inline(__always)
    init?(_ a: Double, times b: Double) {
        guard let left = Significand(a), let right = Significand(b) else { return nil }
        (high, low) = left.magnitude.multipliedFullWidth(by: right.magnitude)
        exponent = left.exponent + right.exponent
        isNegative = left.isNegative != right.isNegative
    }

    private init(high: UInt64, low: UInt64, exponent: Int, isNegative: Bool) {
        self.high = high
        self.low = low
        self.exponent = exponent
        self.isNegative = isNegative
    }

    /// This times a double as the sum of two terms, without rounding; nil if the double is NaN or infinite.
    func times(_ factor: Double) -> (ExactTerm, ExactTerm)? {
        guard let factor = Significand(factor) else { return nil }
        let sign = isNegative != factor.isNegative
        let lower = low.multipliedFullWidth(by: factor.magnitude)
        let upper = high.multipliedFullWidth(by: factor.magnitude)
        return (
            ExactTerm(
                high: lower.high,
                low: lower.low,
                exponent: exponent + factor.exponent,
                isNegative: sign
            ),
            ExactTerm(
                high: upper.high,
                low: upper.low,
                exponent: exponent + factor.exponent + 64,
                isNegative: sign
            )
        )
    }
}

/// The 53 bits of a finite double, its exponent, and its sign.
private struct Significand {
    let magnitude: UInt64
    let exponent: Int
    let isNegative: Bool

    @inline(__always)
    init?(_ value: Double) {
        let bits = value.bitPattern
        let biased = Int((bits >> 52) & 0x7FF)
        guard biased != 0x7FF else { return nil }
        let fraction = bits & 0xF_FFFF_FFFF_FFFF
        magnitude = biased == 0 ? fraction : fraction | (1 << 52)
        exponent = biased == 0 ? -1074 : biased - 1075
        isNegative = bits >> 63 != 0
    }
}
