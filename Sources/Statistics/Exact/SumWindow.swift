/// The limbs of sums, for adding terms in place.
struct SumWindow {
    /// What became of a term.
    enum Outcome {
        case done
        /// It was added, and the sum must get a limb before the next one.
        case full
        /// It does not fit, and was not added.
        case outside
    }

    private let limbs: UnsafeMutableBufferPointer<UInt64>
    private let width: Int
    private let lowest: Int

    @inline(__always)
    init(_ limbs: UnsafeMutableBufferPointer<UInt64>, width: Int, lowest: Int) {
        self.limbs = limbs
        self.width = width
        self.lowest = lowest
    }

    /// Whether the two highest bits are equal.
    @inline(__always)
    static func hasRoom(_ top: UInt64) -> Bool { (top ^ (top &<< 1)) >> 63 == 0 }

    /// Adds a term; one limb above its own must be in the window.
    @inline(__always)
    func add(_ term: ExactTerm, at index: Int) -> Outcome {
        guard term.low != 0 else { return .done }
        let parts = term.limbs
        let used = parts.2 != 0 ? 3 : parts.1 != 0 ? 2 : 1
        let place = term.place &- lowest
        guard place >= 0 && place &+ used < width else { return .outside }
        // A negative term is added as its two's complement, which goes on in ones to the top.
        let sign: UInt64 = term.isNegative ? .max : 0
        var carry = sign & 1
        var position = index &* width &+ place
        let end = (index &+ 1) &* width
        add(parts.0 ^ sign, at: position, &carry)
        add(parts.1 ^ sign, at: position &+ 1, &carry)
        position &+= 2
        if used == 3 {
            add(parts.2 ^ sign, at: position, &carry)
            position &+= 1
        }
        // With a carry into ones, or without one into zeros, nothing above changes.
        while position < end && carry != sign & 1 {
            add(sign, at: position, &carry)
            position &+= 1
        }
        return Self.hasRoom(limbs[end &- 1]) ? .done : .full
    }

    @inline(__always)
    private func add(_ part: UInt64, at position: Int, _ carry: inout UInt64) {
        let (partial, one) = limbs[position].addingReportingOverflow(part)
        let (sum, other) = partial.addingReportingOverflow(carry)
        limbs[position] = sum
        carry = one || other ? 1 : 0
    }
}
