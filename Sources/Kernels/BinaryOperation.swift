/// A function of two numbers, applied to pairs of elements.
public enum BinaryOperation: Int32, Sendable, CaseIterable {
    /// `a + b`
    case add
    /// `a - b`
    case subtract
    /// `a * b`
    case multiply
    /// `a / b`
    case divide
    /// The smaller; NaN if either is NaN.
    case minimum
    /// The larger; NaN if either is NaN.
    case maximum
    /// `a` to the power of `b`, with the special cases of C's `powf`.
    case power
}
