public import TensorCore

/// What can be wrong with a masked batch normalization, its input or its mask.
public enum MaskedBatchNormError: Error, Hashable, Sendable {
    /// The input is neither `[B, C]` nor `[B, C, L]`.
    case inputRank(Int)
    /// The input is not float32.
    case inputType(ElementType)
    /// The output is not float32 of the input's shape, but this.
    case output(elementType: ElementType, shape: [Int])
    /// The input, an affine parameter or some statistics are of another number of channels.
    case channels(expected: Int, actual: Int)
    /// The mask is not `[B, 1, L]`, or `[B, 1]` beside an input `[B, C]`.
    case maskShape(expected: [Int], actual: [Int])
    /// The mask is of a type that holds neither numbers nor truth values exactly.
    case maskType(ElementType)
    /// The element of the mask at this place, in row-major order, is neither 0 nor 1.
    case maskValue(index: Int)
    /// The length of this sequence is not in `0 ... L`.
    case maskLength(index: Int)
    /// Nothing is valid, so there is no mean and no variance.
    case noValidPosition
    /// One position is valid, so there is no variance with divisor n - 1.
    case oneValidPosition
    /// Epsilon is not a finite number above 0.
    case epsilon(Double)
    /// The weight of the newest batch is not in `0 ... 1`.
    case batchWeight(Double)
    /// A count is negative or more than an `Int` holds, or a mean or a sum of squares is there without a count.
    case count
    /// The variance or the sum of squared deviations of this channel is negative.
    case negativeSpread(channel: Int)
}

extension MaskedBatchNormError: CustomStringConvertible {
    /// The rule that was broken, with the figures.
    public var description: String {
        switch self {
        case .inputRank(let rank): "expected 2D or 3D input (got \(rank)D input)"
        case .inputType(let type): "expected float32 input (got \(type.rawValue))"
        case .output(let type, let shape):
            "the output has to be float32 of the input's shape (got \(type.rawValue) \(shape))"
        case .channels(let expected, let actual):
            "Expected \(expected) channels but input has \(actual) channels"
        case .maskShape(let expected, let actual):
            expected.count == 2
                ? "Mask should have shape (B, 1). Expected \(expected), got \(actual)"
                : "Mask should have shape (B, 1, L). Expected \(expected), got \(actual)"
        case .maskType(let type): "the mask cannot be \(type.rawValue)"
        case .maskValue(let index): "element \(index) of the mask is neither 0 nor 1"
        case .maskLength(let index): "the length of sequence \(index) is negative or longer than the input"
        case .noValidPosition: "no position is valid: there is no mean and no variance"
        case .oneValidPosition: "one position is valid: there is no variance with divisor n - 1"
        case .epsilon(let epsilon): "epsilon is \(epsilon), not a finite number above 0"
        case .batchWeight(let weight): "the weight of a batch is \(weight), not in 0 ... 1"
        case .count: "a count is negative, too large or does not fit its values"
        case .negativeSpread(let channel): "the variance of channel \(channel) is negative"
        }
    }
}
