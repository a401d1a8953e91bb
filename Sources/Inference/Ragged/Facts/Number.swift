/// An element that the planner knows: a constant, or what a sequence's length makes of it.
enum Number: Hashable, Sendable {
    case integer(Int)
    case length(LengthFunction)

    /// `a + b`, if it can be written.
    static func sum(_ a: Number, _ b: Number) -> Number? {
        switch (a, b) {
        case (.integer(let x), .integer(let y)):
            let (sum, overflow) = x.addingReportingOverflow(y)
            return overflow ? nil : .integer(sum)
        case (.length(let f), .integer(let k)), (.integer(let k), .length(let f)):
            return f.adding(k).map { .length($0) }
        case (.length(let f), .length(let g)): return f.adding(g).map { .length($0) }
        }
    }

    /// `a - b`, if it can be written.
    static func difference(_ a: Number, _ b: Number) -> Number? {
        if a == b { return .integer(0) }
        guard case .integer(let k) = b, k != .min else { return nil }
        return sum(a, .integer(-k))
    }

    /// `a * b`, if it can be written.
    static func product(_ a: Number, _ b: Number) -> Number? {
        switch (a, b) {
        case (.integer(let x), .integer(let y)):
            let (product, overflow) = x.multipliedReportingOverflow(by: y)
            return overflow ? nil : .integer(product)
        case (.length(let f), .integer(let k)), (.integer(let k), .length(let f)):
            if k == 0 { return .integer(0) }
            return f.multiplied(by: k).map { .length($0) }
        case (.length, .length): return nil
        }
    }

    /// `a / b` of numbers that are not negative, rounded down, if it can be written.
    static func quotient(_ a: Number, _ b: Number) -> Number? {
        guard case .integer(let divisor) = b, divisor > 0 else { return a == b ? .integer(1) : nil }
        switch a {
        case .integer(let x): return x < 0 ? nil : .integer(x / divisor)
        case .length(let f): return f.minimum < 0 ? nil : f.divided(by: divisor).map { .length($0) }
        }
    }

    /// The larger, if one is at least the other for every length.
    static func larger(_ a: Number, _ b: Number) -> Number? {
        if a == b { return a }
        switch (a, b) {
        case (.integer(let x), .integer(let y)): return .integer(max(x, y))
        case (.length(let f), .integer(let k)), (.integer(let k), .length(let f)):
            return f.minimum >= k ? .length(f) : nil
        case (.length, .length): return nil
        }
    }

    /// The value for a sequence of some length.
    func callAsFunction(_ length: Int) -> Int? {
        switch self {
        case .integer(let value): value
        case .length(let function): function(length)
        }
    }
}

extension Number: CustomStringConvertible {
    var description: String {
        switch self {
        case .integer(let value): "\(value)"
        case .length(let function): "\(function)"
        }
    }
}
