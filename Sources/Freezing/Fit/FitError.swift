public import ONNXGraph
public import TensorCore

/// Why features cannot be fitted.
public enum FitError: Error, Hashable, Sendable {
    /// Sequences whose positions are not rows of float32.
    case notFeatures(ElementType)
    /// A sequence with another number of channels.
    case channelsDiffer(expected: Int, actual: Int)
    /// NaN or an infinity; all are numbered from 0, the sequence within its batch.
    case notFinite(sequence: Int, position: Int, channel: Int)
    /// No data.
    case noPositions
    /// A variance that float32 cannot hold.
    case outOfRange(channel: Int)
    /// More channels than a tensor can have.
    case tooManyChannels(Int)
    /// A model that cannot be made.
    case model(ModelError)
}

extension FitError: CustomStringConvertible {
    /// The rule and the figures.
    public var description: String {
        switch self {
        case .notFeatures(let type):
            "features are rows of float32, these sequences are \(type.rawValue)"
        case .channelsDiffer(let expected, let actual):
            "a position has \(actual) features, earlier ones have \(expected)"
        case .notFinite(let sequence, let position, let channel):
            "feature \(channel) of position \(position) of sequence \(sequence) is not a finite number"
        case .noPositions: "there is no position to take statistics of"
        case .outOfRange(let channel): "the variance of feature \(channel) is beyond the range of float32"
        case .tooManyChannels(let count): "\(count) features are over the size limit"
        case .model(let error): "\(error)"
        }
    }
}
