/// A finite number as an integer times a power of two: `± (high * 2^64 + low) * 2^exponent`, with `low` odd or all 0.
struct ExactTerm {
    let high: UInt64
    let low: UInt64
    let exponent: Int
    let isNegative: Bool

    @inline(__always)
    private init(high: UInt64, low: UInt64, exponent: Int, isNegative: Bool) {
        self.high = high
        self.low = low
        self.exponent = exponent
        self.isNegative = isNegative
    }

    /// The value of a double; nil for NaN and the infinities.
    @inline(__always)
    init?(_ value: Double) {
        guard let parts = Significand(value) else { return nil }
        self.init(high: 0, low: parts.magnitude, exponent: parts.exponent, isNegative: parts.isNegative)
    }

    /// The product of two doubles, without rounding; nil if one is NaN or infinite.
    @inline(__always)
    init?(_ a: Double, times b: Double) {
        guard let left = Significand(a), let right = Significand(b) else { return nil }
        let product = left.magnitude.multipliedFullWidth(by: right.magnitude)
        self.init(
            high: product.high,
            low: product.low,
            exponent: left.exponent + right.exponent,
            isNegative: left.isNegative != right.isNegative
        )
    }

    /// The square of a double times another, without rounding; nil if one is NaN or infinite, or if it has more than 128
    /// bits, which a square of a float32 times a count has not.
    @inline(__always)
    init?(square a: Double, times b: Double) {
        guard let value = Significand(a), let factor = Significand(b), value.magnitude >> 32 == 0 else {
            return nil
        }
        let product = (value.magnitude &* value.magnitude).multipliedFullWidth(by: factor.magnitude)
        self.init(
            high: product.high,
            low: product.low,
            exponent: 2 * value.exponent + factor.exponent,
            isNegative: factor.isNegative
        )
    }

    /// This times a double as the sum of two terms, without rounding; nil if the double is NaN or infinite.
    func times(_ factor: Double) -> (ExactTerm, ExactTerm)? {
        guard let factor = Significand(factor) else { return nil }
        let sign = isNegative != factor.isNegative
        let lower = low.multipliedFullWidth(by: factor.magnitude)
        let upper = Self.odd(high.multipliedFullWidth(by: factor.magnitude))
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
                exponent: exponent + factor.exponent + 64 + upper.shift,
                isNegative: sign
            )
        )
    }

    /// Without the zeros at the end.
    private static func odd(_ number: (high: UInt64, low: UInt64)) -> (high: UInt64, low: UInt64, shift: Int)
    {
        var (high, low) = number
        var shift = 0
        if low == 0 {
            guard high != 0 else { return (0, 0, 0) }
            (low, high, shift) = (high, 0, 64)
        }
        let zeros = low.trailingZeroBitCount
        return (high >> zeros, low >> zeros | high << (64 - zeros), shift + zeros)
    }

    /// The place of the limb that the lowest bit is in.
    @inline(__always)
    var place: Int { exponent >> 6 }

    /// How many limbs the bits are spread over, from ``place`` on.
    @inline(__always)
    var limbCount: Int {
        let limbs = self.limbs
        return limbs.2 != 0 ? 3 : limbs.1 != 0 ? 2 : 1
    }

    /// The bits spread over limbs from ``place`` on.
    @inline(__always)
    var limbs: (UInt64, UInt64, UInt64) {
        let shift = UInt64(truncatingIfNeeded: exponent & 63)
        let rest = 63 - shift
        // Shifts by 64 - shift in two steps, as one by 64 would be one by 0.
        return (low &<< shift, (low &>> 1) &>> rest | high &<< shift, (high &>> 1) &>> rest)
    }
}

/// The bits of a finite double from its lowest set one on, its exponent, and its sign.
private struct Significand {
    let magnitude: UInt64
    let exponent: Int
    let isNegative: Bool

    @inline(__always)
    init?(_ value: Double) {
        let bits = value.bitPattern
        let biased = Int(truncatingIfNeeded: (bits >> 52) & 0x7FF)
        guard biased != 0x7FF else { return nil }
        let fraction = bits & 0xF_FFFF_FFFF_FFFF
        let whole = biased == 0 ? fraction : fraction | (1 << 52)
        let zeros = whole.trailingZeroBitCount
        magnitude = whole == 0 ? 0 : whole &>> UInt64(truncatingIfNeeded: zeros)
        exponent = (biased == 0 ? -1074 : biased &- 1075) &+ (whole == 0 ? 0 : zeros)
        isNegative = bits >> 63 != 0
    }
}
