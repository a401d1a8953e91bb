/// Random numbers with a seed, and what is often asked of them.
public struct Choices: RandomNumberGenerator {
    private var state: UInt64

    /// Choices that a seed decides.
    ///
    /// - Parameter seed: Any number.
    public init(seed: UInt64) { state = seed }

    /// The same choices for the same bytes.
    ///
    /// - Parameter bytes: Any.
    public init(seededBy bytes: some Sequence<UInt8>) {
        state = bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// The next 64 bits.
    ///
    /// - Returns: All are as likely.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number in `0 ..< count`; 0 if there is none.
    ///
    /// - Parameter count: How many numbers.
    /// - Returns: One of them.
    public mutating func below(_ count: Int) -> Int {
        count > 0 ? Int.random(in: 0..<count, using: &self) : 0
    }

    /// True once in `n`.
    ///
    /// - Parameter n: At least 1.
    /// - Returns: Whether this is the once.
    public mutating func once(in n: Int) -> Bool { below(n) == 0 }

    /// One of some values.
    ///
    /// - Parameter values: The values.
    /// - Returns: nil if there are none.
    public mutating func pick<T>(_ values: [T]) -> T? { values.isEmpty ? nil : values[below(values.count)] }

    /// Numbers that break things, and small ones.
    ///
    /// - Returns: One of either.
    public mutating func integer() -> Int64 {
        if once(in: 3) {
            let edges: [Int64] = [
                .max, .min, .max - 1, .min + 1, 1 << 31, -(1 << 31), (1 << 31) - 1, 1 << 32, 1 << 62, 1000,
                -1000, 127,
                255,
            ]
            return edges[below(edges.count)]
        }
        return Int64(below(9)) - 3
    }

    /// Numbers that break things, and small ones.
    ///
    /// - Returns: One of either.
    public mutating func float() -> Float {
        if once(in: 4) {
            let edges: [Float] = [
                .nan, .infinity, -.infinity, 0, -0.0, 1e30, -1e30, .leastNonzeroMagnitude,
                .greatestFiniteMagnitude,
                2_147_483_648,
                9.3e18,
            ]
            return edges[below(edges.count)]
        }
        return Float(below(33) - 16) / 4
    }
}
