/// Exact sums of doubles and of products of doubles, which no order and no split of the terms can change.
///
/// Every sum is a fixed-point number in two's complement; all share one window of 64-bit limbs that is widened when a
/// term does not fit. Nothing is ever rounded before ``value(at:)``.
///
/// ```swift
/// var sums = ExactSums(count: 1)
/// for term in [1e100, 1, -1e100] { sums.add(term, at: 0) }
/// sums.value(at: 0)  // 1
/// ```
///
/// Memory: 8 bytes times the limbs of the window for a sum. Statistics in float32 need 3 or 4 limbs, the whole range of
/// double needs 34.
public struct ExactSums: Sendable {
    /// The number of sums.
    public private(set) var count: Int
    /// The weight of the lowest limb is `2^(64 * lowest)`.
    private(set) var lowest = 0
    /// Limbs a sum.
    private(set) var width = 0
    /// The limbs of all sums, `[count, width]`, the lowest of a sum first.
    ///
    /// The two highest bits of a sum are equal, so that adding two sums does not overflow.
    private(set) var limbs: [UInt64] = []
    /// Sums that a NaN or an infinity was added to; empty as long as there is none.
    private(set) var notFinite: [Bool] = []

    /// Sums that are 0.
    ///
    /// - Parameter count: How many, at least 0.
    public init(count: Int) {
        self.count = count
    }

    /// Sums from their parts, which must agree as the properties say.
    init(count: Int, lowest: Int, width: Int, limbs: [UInt64], notFinite: [Bool]) {
        self.count = count
        self.lowest = lowest
        self.width = width
        self.limbs = limbs
        self.notFinite = notFinite
    }

    /// Adds a number to a sum, exactly; NaN or an infinity makes the sum NaN for good.
    ///
    /// - Parameters:
    ///   - value: The term.
    ///   - index: The sum, in `0 ..< count`.
    public mutating func add(_ value: Double, at index: Int) {
        guard let term = ExactTerm(value) else { return spoil(index) }
        add(term, at: index)
    }

    /// Adds numbers to sums that follow each other, exactly; faster than one by one.
    ///
    /// - Parameters:
    ///   - values: The terms, one for each sum.
    ///   - first: The sum of the first; all are in `0 ..< count`.
    public mutating func add(_ values: some RandomAccessCollection<Double>, at first: Int) {
        addTerms(of: values, at: first, { ExactTerm($0) }) { sums, value, index in sums.add(value, at: index)
        }
    }

    /// Adds numbers times a factor to sums that follow each other, exactly; faster than one by one.
    ///
    /// - Parameters:
    ///   - values: The terms, one for each sum.
    ///   - factor: What each is multiplied by.
    ///   - first: The sum of the first; all are in `0 ..< count`.
    public mutating func add(
        _ values: some RandomAccessCollection<Double>,
        times factor: Double,
        at first: Int
    ) {
        addTerms(of: values, at: first, { ExactTerm($0, times: factor) }) { sums, value, index in
            sums.addProduct(value, factor, at: index)
        }
    }

    /// Adds squares times a factor to sums that follow each other, exactly; faster than one by one.
    ///
    /// - Parameters:
    ///   - values: What is squared, one for each sum.
    ///   - factor: What each square is multiplied by.
    ///   - first: The sum of the first; all are in `0 ..< count`.
    public mutating func addSquares(
        of values: some RandomAccessCollection<Double>,
        times factor: Double = 1,
        at first: Int
    ) {
        addTerms(of: values, at: first, { ExactTerm(square: $0, times: factor) }) { sums, value, index in
            sums.addProduct(value, value, factor, at: index)
        }
    }

    /// Adds the terms that fit into the window in one go, and the others one by one.
    @inline(__always)
    private mutating func addTerms(
        of values: some RandomAccessCollection<Double>,
        at first: Int,
        _ term: (Double) -> ExactTerm?,
        one: (inout ExactSums, Double, Int) -> Void
    ) {
        precondition(first >= 0 && values.count <= count - first, "sums that are there")
        var rest = values[...]
        var index = first
        while !rest.isEmpty {
            let (lowest, width) = (lowest, width)
            var outcome = SumWindow.Outcome.done
            limbs.withUnsafeMutableBufferPointer { limbs in
                let window = SumWindow(limbs, width: width, lowest: lowest)
                while let value = rest.first, outcome == .done {
                    outcome = term(value).map { window.add($0, at: index) } ?? .outside
                    guard outcome != .outside else { return }
                    index += 1
                    rest = rest.dropFirst()
                }
            }
            switch outcome {
            case .done: return
            case .full: layOut(in: lowest..<(lowest + width + 1))
            case .outside:
                guard let value = rest.first else { return }
                one(&self, value, index)
                index += 1
                rest = rest.dropFirst()
            }
        }
    }

    /// Adds a product to a sum, exactly.
    ///
    /// - Parameters:
    ///   - a: A factor.
    ///   - b: The other.
    ///   - index: The sum, in `0 ..< count`.
    public mutating func addProduct(_ a: Double, _ b: Double, at index: Int) {
        guard let term = ExactTerm(a, times: b) else { return spoil(index) }
        add(term, at: index)
    }

    /// Adds a product of three factors to a sum, exactly.
    ///
    /// - Parameters:
    ///   - a: A factor.
    ///   - b: Another.
    ///   - c: The third.
    ///   - index: The sum, in `0 ..< count`.
    public mutating func addProduct(_ a: Double, _ b: Double, _ c: Double, at index: Int) {
        guard let product = ExactTerm(a, times: b), let (lower, upper) = product.times(c) else {
            return spoil(index)
        }
        add(lower, at: index)
        add(upper, at: index)
    }

    /// Adds the sums of others, each to the one with its index.
    ///
    /// - Parameter other: As many sums; another number is a programmer's error and traps.
    public mutating func merge(_ other: ExactSums) {
        precondition(count == other.count, "as many sums")
        add(other, from: 0..<other.count, at: 0)
    }

    /// A sum, rounded once to the nearest double; NaN if NaN or an infinity was added.
    ///
    /// - Parameter index: The sum, in `0 ..< count`.
    /// - Returns: The correctly rounded value of the exact sum.
    public func value(at index: Int) -> Double { number(at: index)?.doubleValue ?? .nan }

    /// A sum, without rounding; nil if NaN or an infinity was added.
    func number(at index: Int) -> ExactNumber? {
        precondition(index >= 0 && index < count, "a sum that is there")
        guard notFinite.isEmpty || !notFinite[index] else { return nil }
        return ExactNumber(twosComplement: limbs[(index * width)..<((index + 1) * width)], lowest: lowest)
    }

    /// Appends sums that are 0.
    mutating func append(count added: Int) {
        count += added
        limbs.append(contentsOf: repeatElement(0, count: added * width))
        if !notFinite.isEmpty { notFinite.append(contentsOf: repeatElement(false, count: added)) }
    }

    /// Adds a range of other sums to as many of these, from `target` on.
    mutating func add(_ other: ExactSums, from range: Range<Int>, at target: Int) {
        precondition(target >= 0 && target + range.count <= count, "sums that are there")
        if !other.notFinite.isEmpty {
            for index in range where other.notFinite[index] { spoil(target + index - range.lowerBound) }
        }
        guard other.width > 0 else { return }
        reserve(other.lowest..<(other.lowest + other.width))
        for index in range { addSum(of: other, index, at: target + index - range.lowerBound) }
    }

    /// Adds a range of these sums to as many others of these, from `target` on; the ranges must not overlap.
    mutating func accumulate(_ range: Range<Int>, at target: Int) {
        precondition(target >= range.upperBound || target + range.count <= range.lowerBound, "no overlap")
        for index in range {
            let place = target + index - range.lowerBound
            if !notFinite.isEmpty && notFinite[index] { notFinite[place] = true }
            guard width > 0 else { continue }
            var carry: UInt64 = 0
            for position in 0..<width {
                let part = limbs[index * width + position]
                let (partial, one) = limbs[place * width + position].addingReportingOverflow(part)
                let (sum, second) = partial.addingReportingOverflow(carry)
                limbs[place * width + position] = sum
                carry = one || second ? 1 : 0
            }
            if !SumWindow.hasRoom(limbs[(place + 1) * width - 1]) {
                layOut(in: lowest..<(lowest + width + 1))
            }
        }
    }

    /// Sets a range of sums to what another range is; the ranges must not overlap.
    mutating func copy(_ range: Range<Int>, to target: Int) {
        precondition(target >= range.upperBound || target + range.count <= range.lowerBound, "no overlap")
        for index in range {
            let place = target + index - range.lowerBound
            if !notFinite.isEmpty { notFinite[place] = notFinite[index] }
            for position in 0..<width { limbs[place * width + position] = limbs[index * width + position] }
        }
    }

    /// Sets a range of sums to 0.
    mutating func clear(_ range: Range<Int>) {
        for position in (range.lowerBound * width)..<(range.upperBound * width) { limbs[position] = 0 }
        if !notFinite.isEmpty { for index in range { notFinite[index] = false } }
    }

    private mutating func spoil(_ index: Int) {
        precondition(index >= 0 && index < count, "a sum that is there")
        if notFinite.isEmpty { notFinite = Array(repeating: false, count: count) }
        notFinite[index] = true
    }

    private mutating func add(_ term: ExactTerm, at index: Int) {
        precondition(index >= 0 && index < count, "a sum that is there")
        guard term.low != 0 else { return }
        // One limb more, so that the term stays clear of the two highest bits.
        reserve(term.place..<(term.place + term.limbCount + 1))
        let (lowest, width) = (lowest, width)
        let outcome = limbs.withUnsafeMutableBufferPointer { limbs in
            SumWindow(limbs, width: width, lowest: lowest).add(term, at: index)
        }
        if outcome == .full { layOut(in: lowest..<(lowest + width + 1)) }
    }

    private mutating func addSum(of other: ExactSums, _ index: Int, at target: Int) {
        let shift = other.lowest - lowest
        let start = target * width
        let source = index * other.width
        let sign: UInt64 = other.limbs[source + other.width - 1] >> 63 != 0 ? .max : 0
        var carry: UInt64 = 0
        for position in shift..<width {
            let from = position - shift
            let part = from < other.width ? other.limbs[source + from] : sign
            let (partial, one) = limbs[start + position].addingReportingOverflow(part)
            let (sum, second) = partial.addingReportingOverflow(carry)
            limbs[start + position] = sum
            carry = one || second ? 1 : 0
        }
        if !SumWindow.hasRoom(limbs[start + width - 1]) { layOut(in: lowest..<(lowest + width + 1)) }
    }

    private mutating func reserve(_ window: Range<Int>) {
        guard width > 0 else { return layOut(in: window) }
        guard window.lowerBound < lowest || window.upperBound > lowest + width else { return }
        layOut(in: min(lowest, window.lowerBound)..<max(lowest + width, window.upperBound))
    }

    /// Lays the sums out in another window, which must hold all of them.
    private mutating func layOut(in window: Range<Int>) {
        var fresh = [UInt64](repeating: 0, count: count * window.count)
        if width > 0 {
            for index in 0..<count {
                let sign: UInt64 = limbs[(index + 1) * width - 1] >> 63 != 0 ? .max : 0
                for position in 0..<window.count {
                    let from = position + window.lowerBound - lowest
                    guard from >= 0 else { continue }
                    fresh[index * window.count + position] = from < width ? limbs[index * width + from] : sign
                }
            }
        }
        (limbs, lowest, width) = (fresh, window.lowerBound, window.count)
    }
}

extension ExactSums: Equatable {
    /// Whether all sums are equal, whatever windows they are kept in.
    public static func == (a: ExactSums, b: ExactSums) -> Bool {
        guard a.count == b.count else { return false }
        let (left, right) = (a.trimmed(), b.trimmed())
        return left.lowest == right.lowest && left.limbs == right.limbs && left.notFinite == right.notFinite
    }

    /// The same sums in the smallest window, with sums that are not finite at 0: one form for equal sums.
    func trimmed() -> ExactSums {
        var result = self
        if !notFinite.contains(true) { result.notFinite = [] }
        for index in result.notFinite.indices where result.notFinite[index] {
            for position in (index * width)..<((index + 1) * width) { result.limbs[position] = 0 }
        }
        var low = 0
        var end = width
        while low < end && result.allSums({ limbs in limbs[low] == 0 }) { low += 1 }
        while end - low > 1 && result.allSums({ Self.isExtension($0[end - 1], of: $0[end - 2]) }) { end -= 1 }
        result.layOut(in: low == width ? 0..<0 : (lowest + low)..<(lowest + end))
        return result
    }

    private func allSums(_ holds: (UnsafeBufferPointer<UInt64>) -> Bool) -> Bool {
        limbs.withUnsafeBufferPointer { limbs in
            (0..<count).allSatisfy { index in
                holds(UnsafeBufferPointer(rebasing: limbs[(index * width)..<((index + 1) * width)]))
            }
        }
    }

    /// Whether the limb above says nothing that the two highest bits of the one below do not.
    private static func isExtension(_ above: UInt64, of below: UInt64) -> Bool {
        above == 0 ? below >> 62 == 0 : above == .max && below >> 62 == 3
    }

    /// Other sums from some of these, in another order.
    func selecting(_ indices: [Int]) -> ExactSums {
        var result = ExactSums(count: indices.count)
        (result.lowest, result.width) = (lowest, width)
        result.limbs.reserveCapacity(indices.count * width)
        for index in indices {
            result.limbs.append(contentsOf: limbs[(index * width)..<((index + 1) * width)])
        }
        if !notFinite.isEmpty { result.notFinite = indices.map { notFinite[$0] } }
        return result
    }
}
