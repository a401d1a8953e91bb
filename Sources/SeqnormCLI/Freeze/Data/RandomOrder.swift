/// Reproducible random numbers, SplitMix64 (Steele, Lea & Flood 2014): the same for a seed on every machine.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    /// A sequence of numbers.
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number in `0 ..< bound`, each equally likely: what lies over the last whole multiple of `bound` is drawn
    /// again.
    mutating func next(below bound: UInt64) -> UInt64 {
        let excess = (UInt64.max % bound + 1) % bound
        while true {
            let drawn = next()
            if drawn <= UInt64.max - excess { return drawn % bound }
        }
    }
}

/// Which records go into which batch.
enum RandomOrder {
    /// The numbers `0 ..< count` in a random order, every order equally likely as far as the seed allows.
    ///
    /// From the last place to the second, each number changes places with one at or before it (Fisher-Yates, as
    /// Durstenfeld has it).
    ///
    /// - Parameters:
    ///   - count: At least 0, below 2^32.
    ///   - seed: Which order.
    /// - Returns: A permutation.
    static func shuffled(_ count: Int, seed: UInt64) -> [UInt32] {
        var order = (0..<UInt32(clamping: count)).map(\.self)
        var numbers = SplitMix64(seed: seed)
        for last in order.indices.dropFirst().reversed() {
            order.swapAt(last, Int(numbers.next(below: UInt64(last) + 1)))
        }
        return order
    }

    /// Neighbouring parts: as few as hold no more than `size` each, with sizes that differ by 1 at most.
    ///
    /// 270 records in batches of 32 are nine batches of 30, not eight of 32 and one of 14, whose noisier
    /// statistics a mean of batches would weigh as much as the others'.
    ///
    /// - Parameters:
    ///   - index: Which part, from 0.
    ///   - count: How many there are to distribute.
    ///   - size: The largest part, at least 1.
    /// - Returns: Places in what is distributed.
    static func part(_ index: Int, of count: Int, size: Int) -> Range<Int> {
        let parts = partCount(of: count, size: size)
        func bound(_ index: Int) -> Int {
            let (quotient, remainder) = count.quotientAndRemainder(dividingBy: max(parts, 1))
            return index * quotient + min(index, remainder)
        }
        return bound(index)..<bound(index + 1)
    }

    /// The number of parts.
    static func partCount(of count: Int, size: Int) -> Int { count / size + (count % size > 0 ? 1 : 0) }
}
