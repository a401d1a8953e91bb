/// A number that depends on a sequence's length `L` alone: `L` after steps such as `+ 2` or `/ 3`, rounded down.
///
/// It never falls where the length grows, so its value for length 1 is the smallest.
struct LengthFunction: Hashable, Sendable {
    enum Step: Hashable, Sendable {
        case add(Int)
        /// By a positive factor.
        case multiply(Int)
        /// By a positive divisor, rounded down.
        case divide(Int)
        /// No more than a bound.
        case atMost(Int)
    }

    private(set) var steps: [Step] = []

    /// The length itself.
    static let length = LengthFunction()

    /// `f + k`, or nil if it cannot be written.
    func adding(_ addend: Int) -> LengthFunction? {
        guard case .add(let before)? = steps.last else { return appending(.add(addend), unless: addend == 0) }
        let (sum, overflow) = before.addingReportingOverflow(addend)
        return overflow ? nil : replacingLast(by: .add(sum), unless: sum == 0)
    }

    /// `f + g`, or nil if it cannot be written: both must be multiples of one function, apart from what is added.
    func adding(_ other: LengthFunction) -> LengthFunction? {
        let (a, b) = (linear, other.linear)
        let (factor, overflow) = a.factor.addingReportingOverflow(b.factor)
        let (addend, overflows) = a.addend.addingReportingOverflow(b.addend)
        guard a.base == b.base, !overflow, !overflows else { return nil }
        return a.base.multiplied(by: factor)?.adding(addend)
    }

    /// The function as `base * factor + addend`.
    private var linear: (base: LengthFunction, factor: Int, addend: Int) {
        var result = (base: self, factor: 1, addend: 0)
        if case .add(let addend)? = result.base.steps.last {
            result.base.steps.removeLast()
            result.addend = addend
        }
        if case .multiply(let factor)? = result.base.steps.last {
            result.base.steps.removeLast()
            result.factor = factor
        }
        return result
    }

    /// `f * k` for a positive `k`.
    func multiplied(by factor: Int) -> LengthFunction? {
        guard factor > 0 else { return nil }
        guard case .multiply(let before)? = steps.last else {
            return appending(.multiply(factor), unless: factor == 1)
        }
        let (product, overflow) = before.multipliedReportingOverflow(by: factor)
        return overflow ? nil : replacingLast(by: .multiply(product), unless: false)
    }

    /// `f / k`, rounded down, for a positive `k`.
    func divided(by divisor: Int) -> LengthFunction? {
        guard divisor > 0 else { return nil }
        switch steps.last {
        case .multiply(let factor)? where factor % divisor == 0:
            return replacingLast(by: .multiply(factor / divisor), unless: factor == divisor)
        case .divide(let before)?:
            let (product, overflow) = before.multipliedReportingOverflow(by: divisor)
            return overflow ? nil : replacingLast(by: .divide(product), unless: false)
        default: return appending(.divide(divisor), unless: divisor == 1)
        }
    }

    /// `min(f, k)`.
    func bounded(by limit: Int) -> LengthFunction { appending(.atMost(limit), unless: false) }

    /// Whether this is another one up to a bound above 1, so that the two are equal or meet in no broadcast.
    func isBounded(_ other: LengthFunction) -> Bool {
        guard case .atMost(let limit)? = steps.last, limit > 1 else { return false }
        return steps.dropLast().elementsEqual(other.steps)
    }

    private func appending(_ step: Step, unless isNothing: Bool) -> LengthFunction {
        var result = self
        if !isNothing { result.steps.append(step) }
        return result
    }

    private func replacingLast(by step: Step, unless isNothing: Bool) -> LengthFunction {
        var result = self
        result.steps.removeLast()
        return result.appending(step, unless: isNothing)
    }

    /// The value for a sequence of some length; nil if it is out of range.
    func callAsFunction(_ length: Int) -> Int? {
        var value = length
        for step in steps {
            let overflow: Bool
            switch step {
            case .add(let addend): (value, overflow) = value.addingReportingOverflow(addend)
            case .multiply(let factor): (value, overflow) = value.multipliedReportingOverflow(by: factor)
            case .divide(let divisor):
                let remainder = value % divisor
                (value, overflow) = (value / divisor - (remainder < 0 ? 1 : 0), false)
            case .atMost(let limit): (value, overflow) = (min(value, limit), false)
            }
            if overflow { return nil }
        }
        return value
    }

    /// The smallest value, that of the shortest sequence there can be.
    var minimum: Int { self(1) ?? .min }
}

extension LengthFunction: CustomStringConvertible {
    /// Such as `(L + 2) / 3`.
    var description: String {
        steps.reduce("L") { text, step in
            switch step {
            case .add(let addend): "(\(text) \(addend < 0 ? "-" : "+") \(addend.magnitude))"
            case .multiply(let factor): "\(text) * \(factor)"
            case .divide(let divisor): "\(text) / \(divisor)"
            case .atMost(let limit): "min(\(text), \(limit))"
            }
        }
    }
}
