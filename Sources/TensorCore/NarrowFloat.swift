/// A format of floats of 8 or 4 bits: its numbers by their bits, and the bits nearest to a number.
///
/// A number is `(1 + mantissa / 2^m) * 2^(exponent - bias)`, without the 1 and with an exponent of 1 where the exponent's
/// bits are 0; those of float8e8m0 are `2^(bits - 127)`.
public struct NarrowFloat: Sendable {
    /// How to round to float8e8m0, which has powers of two alone.
    public enum Rounding: String, Sendable { case up, down, nearest }

    /// The number of each pattern of bits.
    public let values: [Float]
    /// The bits that a number has.
    public let mask: Int
    /// The pattern of the largest finite number.
    private let largest: Int
    private let notANumber: UInt8?
    private let infinity: UInt8?
    /// 0 where no number has a sign.
    private let signBit: UInt8
    private let hasNegativeZero: Bool

    /// The format of a type; nil if it is none of these.
    ///
    /// - Parameter type: A narrow float.
    public init?(_ type: ElementType) {
        switch type {
        case .float8e4m3fn:
            self.init(exponentBits: 4, mantissaBits: 3, bias: 7, largest: 0x7e, notANumber: 0x7f)
        case .float8e4m3fnuz:
            self.init(exponentBits: 4, mantissaBits: 3, bias: 8, largest: 0x7f, notANumber: 0x80)
        case .float8e5m2:
            self.init(
                exponentBits: 5,
                mantissaBits: 2,
                bias: 15,
                largest: 0x7b,
                notANumber: 0x7e,
                infinity: 0x7c
            )
        case .float8e5m2fnuz:
            self.init(exponentBits: 5, mantissaBits: 2, bias: 16, largest: 0x7f, notANumber: 0x80)
        case .float4e2m1: self.init(exponentBits: 2, mantissaBits: 1, bias: 1, largest: 7, notANumber: nil)
        case .float8e8m0: self.init(powersOfTwo: ())
        default: return nil
        }
    }

    private init(
        exponentBits: Int,
        mantissaBits: Int,
        bias: Int,
        largest: Int,
        notANumber: UInt8?,
        infinity: UInt8? = nil
    ) {
        let sign = 1 << (exponentBits + mantissaBits)
        values = (0..<2 * sign).map { code in
            let bits = code & (sign - 1)
            let isNegative = code & sign != 0
            if bits > largest {
                guard let infinity, bits == infinity else { return .nan }
                return isNegative ? -.infinity : .infinity
            }
            if let notANumber, code == notANumber { return .nan }
            let exponent = bits >> mantissaBits
            let fraction = Float(bits & (1 << mantissaBits - 1)) / Float(1 << mantissaBits)
            let value =
                exponent == 0
                ? fraction * Self.power(1 - bias) : (1 + fraction) * Self.power(exponent - bias)
            return isNegative ? -value : value
        }
        mask = 2 * sign - 1
        self.largest = largest
        self.notANumber = notANumber
        self.infinity = infinity
        signBit = UInt8(sign)
        hasNegativeZero = notANumber != signBit
    }

    private init(powersOfTwo: Void) {
        values = (0..<256).map { $0 == 255 ? .nan : Self.power($0 - 127) }
        mask = 255
        largest = 254
        notANumber = 255
        infinity = nil
        signBit = 0
        hasNegativeZero = false
    }

    private static func power(_ exponent: Int) -> Float {
        Float(sign: .plus, exponent: exponent, significand: 1)
    }

    /// The bits of the nearest number, ties to the even pattern.
    ///
    /// - Parameters:
    ///   - x: Any number.
    ///   - saturates: Whether what is too large, infinity included, becomes the largest number; else it becomes infinity, or
    ///     NaN where there is none.
    ///   - rounding: How to round to powers of two; other formats round to the nearest.
    /// - Returns: The bits. NaN of a format without it is 0 with the sign.
    public func bits(of x: Double, saturates: Bool = true, rounding: Rounding = .up) -> UInt8 {
        if signBit == 0 { return power(nearest: x, saturates: saturates, rounding: rounding) }
        let sign = x.sign == .minus ? signBit : 0
        if x.isNaN { return (notANumber ?? 0) | (hasNegativeZero ? sign : 0) }
        let magnitude = x.magnitude
        var (low, high) = (0, largest)
        while low < high {
            let middle = (low + high + 1) / 2
            if Double(values[middle]) <= magnitude { low = middle } else { high = middle - 1 }
        }
        let below = Double(values[low])
        // Behind the largest number, the next would be as far away as the one before.
        let above = low < largest ? Double(values[low + 1]) : 2 * below - Double(values[low - 1])
        let middle = (below + above) / 2
        var code = magnitude > middle || (magnitude == middle && low % 2 == 1) ? low + 1 : low
        if code > largest {
            guard saturates || notANumber == nil else {
                if let infinity { return infinity | sign }
                return (notANumber ?? 0) | (hasNegativeZero ? sign : 0)
            }
            code = largest
        }
        if code == 0 && !hasNegativeZero { return 0 }
        return UInt8(code) | sign
    }

    private func power(nearest x: Double, saturates: Bool, rounding: Rounding) -> UInt8 {
        let magnitude = x.magnitude
        if x.isNaN || (magnitude.isInfinite && !saturates) { return 255 }
        if magnitude.isInfinite { return 254 }
        guard magnitude > 0 else { return saturates ? 0 : 255 }
        var exponent = Int(magnitude.exponent)
        switch rounding {
        case .up: if magnitude.significand > 1 { exponent += 1 }
        case .nearest: if magnitude.significand >= 1.5 { exponent += 1 }
        case .down: break
        }
        if exponent > 127 { return saturates ? 254 : 255 }
        if exponent < -127 { return saturates ? 0 : 255 }
        return UInt8(exponent + 127)
    }
}
