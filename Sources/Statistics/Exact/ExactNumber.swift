internal import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A number of any size without rounding: `± magnitude * 2^(64 * lowest)`.
struct ExactNumber {
    /// Lowest limb first; the highest is not 0.
    private let magnitude: [UInt64]
    private let lowest: Int
    private let isNegative: Bool

    private init(magnitude: [UInt64], lowest: Int, isNegative: Bool) {
        var magnitude = magnitude
        while magnitude.last == 0 { magnitude.removeLast() }
        self.magnitude = magnitude
        self.lowest = lowest
        self.isNegative = isNegative && !magnitude.isEmpty
    }

    /// A number in two's complement, lowest limb first; none is 0.
    init(twosComplement limbs: ArraySlice<UInt64>, lowest: Int) {
        let isNegative = (limbs.last ?? 0) >> 63 != 0
        var magnitude = Array(limbs)
        if isNegative {
            var carry = true
            for index in magnitude.indices {
                let (sum, overflow) = (~magnitude[index]).addingReportingOverflow(carry ? 1 : 0)
                magnitude[index] = sum
                carry = overflow
            }
        }
        self.init(magnitude: magnitude, lowest: lowest, isNegative: isNegative)
    }

    var isZero: Bool { magnitude.isEmpty }

    static func * (a: ExactNumber, b: ExactNumber) -> ExactNumber {
        var product = [UInt64](repeating: 0, count: a.magnitude.count + b.magnitude.count)
        for (i, x) in a.magnitude.enumerated() {
            var carry: UInt64 = 0
            for (j, y) in b.magnitude.enumerated() {
                let (high, low) = x.multipliedFullWidth(by: y)
                let (first, one) = product[i + j].addingReportingOverflow(low)
                let (second, two) = first.addingReportingOverflow(carry)
                product[i + j] = second
                // high is at most 2^64 - 2, and less where low carries, so this does not overflow.
                carry = high &+ (one ? 1 : 0) &+ (two ? 1 : 0)
            }
            product[i + b.magnitude.count] = carry
        }
        return ExactNumber(
            magnitude: product,
            lowest: a.lowest + b.lowest,
            isNegative: a.isNegative != b.isNegative
        )
    }

    static func - (a: ExactNumber, b: ExactNumber) -> ExactNumber {
        if b.isZero { return a }
        if a.isZero {
            return ExactNumber(magnitude: b.magnitude, lowest: b.lowest, isNegative: !b.isNegative)
        }
        let lowest = min(a.lowest, b.lowest)
        let left = a.shifted(to: lowest)
        let right = b.shifted(to: lowest)
        guard a.isNegative == b.isNegative else {
            return ExactNumber(magnitude: sum(left, right), lowest: lowest, isNegative: a.isNegative)
        }
        return isLess(left, right)
            ? ExactNumber(magnitude: difference(right, left), lowest: lowest, isNegative: !a.isNegative)
            : ExactNumber(magnitude: difference(left, right), lowest: lowest, isNegative: a.isNegative)
    }

    private func shifted(to lowest: Int) -> [UInt64] {
        Array(repeating: 0, count: self.lowest - lowest) + magnitude
    }

    private static func sum(_ a: [UInt64], _ b: [UInt64]) -> [UInt64] {
        var result: [UInt64] = []
        var carry: UInt64 = 0
        for index in 0..<max(a.count, b.count) {
            let (first, one) = (index < a.count ? a[index] : 0)
                .addingReportingOverflow(index < b.count ? b[index] : 0)
            let (second, two) = first.addingReportingOverflow(carry)
            result.append(second)
            carry = one || two ? 1 : 0
        }
        return result + [carry]
    }

    /// `a - b`, which is not negative.
    private static func difference(_ a: [UInt64], _ b: [UInt64]) -> [UInt64] {
        var result: [UInt64] = []
        var borrow: UInt64 = 0
        for index in a.indices {
            let (first, one) = a[index].subtractingReportingOverflow(index < b.count ? b[index] : 0)
            let (second, two) = first.subtractingReportingOverflow(borrow)
            result.append(second)
            borrow = one || two ? 1 : 0
        }
        return result
    }

    private static func isLess(_ a: [UInt64], _ b: [UInt64]) -> Bool {
        guard a.count == b.count else { return a.count < b.count }
        for index in a.indices.reversed() where a[index] != b[index] { return a[index] < b[index] }
        return false
    }

    /// The nearest double, ties to even; an infinity beyond the range.
    var doubleValue: Double {
        guard let top = magnitude.last else { return 0 }
        let bitCount = magnitude.count * 64 - top.leadingZeroBitCount
        let exponent = lowest * 64
        // Bits below the 53 highest, or below the smallest double, are rounded away.
        let dropped = max(0, bitCount - 53, -1074 - exponent)
        var kept = dropped >= bitCount ? 0 : bits(from: dropped)
        if dropped > 0, bit(dropped - 1), hasBit(below: dropped - 1) || kept & 1 == 1 { kept += 1 }
        let value = scalbn(Double(kept), exponent + dropped)
        return isNegative ? -value : value
    }

    /// The bits from a place on, which are at most 64.
    private func bits(from place: Int) -> UInt64 {
        let (limb, shift) = (place / 64, place % 64)
        let low = magnitude[limb] >> shift
        guard shift > 0 && limb + 1 < magnitude.count else { return low }
        return low | magnitude[limb + 1] << (64 - shift)
    }

    private func bit(_ place: Int) -> Bool {
        let limb = place / 64
        return limb < magnitude.count && magnitude[limb] >> (place % 64) & 1 == 1
    }

    private func hasBit(below place: Int) -> Bool {
        let limb = min(place / 64, magnitude.count)
        if magnitude[..<limb].contains(where: { $0 != 0 }) { return true }
        guard limb < magnitude.count, place % 64 > 0 else { return false }
        return magnitude[limb] << (64 - place % 64) != 0
    }
}
