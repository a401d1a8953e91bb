/// What is wrong with a shape, or between two of them.
public enum ShapeError: Error, Hashable, Sendable {
    /// More axes than a ``Shape`` can hold.
    case rankTooHigh(rank: Int, limit: Int)
    /// A length below zero.
    case negativeDimension(axis: Int, length: Int)
    /// More elements than ``Shape/maximumElementCount``.
    case tooLarge(dimensions: [Int])
    /// The number of values given is not the number of elements of the shape.
    case elementCountMismatch(expected: Int, actual: Int)
    /// Two shapes that cannot be broadcast to one.
    case notBroadcastable([Int], [Int])
    /// An axis outside `-rank ..< rank`.
    case axisOutOfRange(axis: Int, rank: Int)
    /// An axis that must have one length has another.
    case dimensionMismatch(axis: Int, expected: Int, actual: Int)
    /// A tensor has another number of axes than is needed.
    case rankMismatch(expected: Int, actual: Int)
    /// A tensor has another element type than is needed.
    case elementTypeMismatch(expected: ElementType, actual: ElementType)
}

extension ShapeError: CustomStringConvertible {
    /// The rule that was broken, with the figures.
    public var description: String {
        switch self {
        case .rankTooHigh(let rank, let limit): "rank \(rank) is over the limit of \(limit)"
        case .negativeDimension(let axis, let length): "axis \(axis) has the negative length \(length)"
        case .tooLarge(let dimensions): "a tensor of shape \(dimensions) is over the size limit"
        case .elementCountMismatch(let expected, let actual):
            "\(expected) elements are needed, \(actual) are given"
        case .notBroadcastable(let a, let b): "shapes \(a) and \(b) do not broadcast"
        case .axisOutOfRange(let axis, let rank): "axis \(axis) is outside a tensor of rank \(rank)"
        case .dimensionMismatch(let axis, let expected, let actual):
            "axis \(axis) has length \(actual), not \(expected)"
        case .rankMismatch(let expected, let actual): "rank is \(actual), not \(expected)"
        case .elementTypeMismatch(let expected, let actual):
            "element type is \(actual.rawValue), not \(expected.rawValue)"
        }
    }
}
