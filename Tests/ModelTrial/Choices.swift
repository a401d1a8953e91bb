/// Random numbers with a seed, and what is often asked of them.
struct Choices: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// The same choices for the same bytes.
    init(seededBy bytes: some Sequence<UInt8>) {
        state = bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number in `0 ..< count`; 0 if there is none.
    mutating func below(_ count: Int) -> Int { count > 0 ? Int.random(in: 0..<count, using: &self) : 0 }

    /// True once in `n`.
    mutating func once(in n: Int) -> Bool { below(n) == 0 }

    mutating func pick<T>(_ values: [T]) -> T? { values.isEmpty ? nil : values[below(values.count)] }

    /// Numbers that break things, and small ones.
    mutating func integer() -> Int64 {
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
    mutating func float() -> Float {
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
