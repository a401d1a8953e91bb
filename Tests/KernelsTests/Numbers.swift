import Foundation

/// A reproducible source of floats in `-1 ..< 1`.
struct Numbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> Float {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Float(Int32(truncatingIfNeeded: state >> 40) - (1 << 23)) / Float(1 << 23)
    }

    mutating func array(_ count: Int) -> [Float] {
        var values = [Float](repeating: 0, count: count)
        var index = 0
        while index < count {
            values[index] = next()
            index += 1
        }
        return values
    }
}

/// Numbers at which float32 functions go wrong first.
let edgeValues: [Float] = [
    0, -0.0, 1, -1, 0.5, -0.5, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude,
    -.leastNormalMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .infinity, -.infinity, .nan,
    88.72284, 88.7229, -87.33655, -103.9, -104.1, 104, 0.625, 0.92, -0.92, 3.9999, 4.0001, 1e-20, -1e-20,
    1e20,
]

extension Array<Float> {
    /// Whether every bit is the same; the fast form for arrays without NaN.
    func hasBits(of other: [Float]) -> Bool {
        count == other.count
            && withUnsafeBytes { left in
                other.withUnsafeBytes { right in
                    guard let a = left.baseAddress, let b = right.baseAddress else { return true }
                    return memcmp(a, b, left.count) == 0
                }
            }
    }

    /// The bit patterns, all NaN alike.
    var bits: [UInt32] { map { $0.isNaN ? 0x7FC0_0000 : $0.bitPattern } }
}

/// How far `actual` is from `expected` in units of the float32 spacing at `expected`; 0 for matching NaN and infinity.
func ulps(_ actual: Float, _ expected: Double) -> Double {
    if expected.isNaN { return actual.isNaN ? 0 : .infinity }
    let rounded = Float(expected)
    if rounded.isInfinite || actual.isInfinite || actual.isNaN { return actual == rounded ? 0 : .infinity }
    return abs(Double(actual) - expected) / Double(max(rounded.ulp, .leastNonzeroMagnitude))
}
