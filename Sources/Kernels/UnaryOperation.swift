internal import CKernels

/// A function of one number, applied to every element; each is accurate to a few ulp and keeps NaN.
public enum UnaryOperation: Int32, Sendable, CaseIterable {
    /// `x`
    case identity
    /// `e^x`
    case exp
    /// The natural logarithm; `-inf` at 0, NaN below.
    case log
    /// The hyperbolic tangent.
    case tanh
    /// `1 / (1 + e^-x)`
    case sigmoid
    /// The error function.
    case erf
    /// `max(x, 0)`; NaN stays NaN.
    case relu
    /// The square root; NaN below 0.
    case squareRoot
    /// `1 / x`
    case reciprocal
    /// `-x`
    case negate
    /// `|x|`
    case absolute
    /// `x / 2 * (1 + erf(x / sqrt(2)))`
    case gelu
    /// `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))`
    case geluTanh
    /// `x * sigmoid(x)`
    case silu
    /// `log(1 + e^x)`
    case softplus
    /// The largest whole number not above `x`.
    case floor
    /// The smallest whole number not below `x`.
    case ceiling
    /// The nearest whole number, halves to even.
    case round
    /// -1, 0 or 1.
    case sign
    /// `x * x`
    case square
}
