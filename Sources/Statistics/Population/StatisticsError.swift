public import TensorCore

/// What is wrong with the statistics of a batch, or with a population's; `label` is the stem of the labels.
public enum StatisticsError: Error, Hashable, Sendable {
    /// A batch lacks a part that the normalization has.
    case missing(StatisticPart, label: String)
    /// A part has an element type that is not read.
    case unsupportedElementType(ElementType, StatisticPart, label: String)
    /// A part has another element type than in earlier batches.
    case elementTypeDiffers(StatisticPart, label: String, expected: ElementType, actual: ElementType)
    /// The statistic is inside of another number of loops.
    case depthDiffers(label: String, expected: Int, actual: Int)
    /// A part's outermost axes are not the extents of the loops.
    case extentsDiffer(StatisticPart, label: String, extents: [Int], shape: [Int])
    /// The steps of loops in loops are not one number for each step around them, up to the extents.
    case stepsDiffer(label: String, extents: [Int])
    /// A part's channels are not those of earlier batches: its shape depends on the batch.
    case channelsDiffer(StatisticPart, label: String, expected: [Int], actual: [Int])
    /// Mean and variance have another number of channels.
    case unequalChannels(label: String, mean: [Int], variance: [Int])
    /// A number of positions that does not belong to steps: one a channel, or one a sequence.
    case countShape(StatisticPart, label: String, extents: [Int], shape: [Int])
    /// A number of positions that is negative or not finite, or more valid ones than there are with padding.
    case invalidCount(StatisticPart, label: String, step: [Int])
    /// NaN or an infinity.
    case notFinite(StatisticPart, label: String, step: [Int])
    /// A variance below 0.
    case negativeVariance(label: String, step: [Int])
    /// No batch reached the statistic.
    case neverReached(label: String)
    /// No batch had a valid position.
    case noPositions(label: String)
    /// An estimator needs a part that the statistic has not.
    case estimatorNeeds(StatisticPart, Estimator, label: String)
    /// More steps and channels than can be held.
    case tooLarge(label: String, steps: [Int], channels: Int)
    /// More batches than can be counted.
    case tooManyBatches(label: String)
    /// Two accumulators that are not of the same statistic.
    case notMergeable(label: String, other: String)
    /// The stored form of an accumulator is not one that was written here.
    case malformed(label: String, what: String)
}

extension StatisticsError: CustomStringConvertible {
    /// The statistic, the rule, and the figures.
    public var description: String {
        switch self {
        case .missing(let part, let label): "\(label): a batch has no \(part)"
        case .unsupportedElementType(let type, let part, let label):
            "\(label): the \(part) is \(type.rawValue), which statistics cannot be"
        case .elementTypeDiffers(let part, let label, let expected, let actual):
            "\(label): the \(part) is \(actual.rawValue), in earlier batches \(expected.rawValue)"
        case .depthDiffers(let label, let expected, let actual):
            "\(label): it is inside of \(expected) loops, the batch has extents of \(actual)"
        case .extentsDiffer(let part, let label, let extents, let shape):
            "\(label): the \(part) has shape \(shape), whose outermost axes must be the loops' extents \(extents)"
        case .stepsDiffer(let label, let extents):
            "\(label): the steps of its loops are not numbers up to their extents \(extents)"
        case .channelsDiffer(let part, let label, let expected, let actual):
            "\(label): the \(part) of a step has shape \(actual), in earlier batches \(expected); "
                + "the shape of a statistic must not depend on the batch"
        case .unequalChannels(let label, let mean, let variance):
            "\(label): the mean of a step has shape \(mean), the variance \(variance)"
        case .countShape(let part, let label, let extents, let shape):
            "\(label): the \(part) has shape \(shape), which is not one number a step of loops of extents \(extents)"
        case .invalidCount(let part, let label, let step):
            "\(label): the \(part)\(Self.place(step)) is not a number of positions"
        case .notFinite(let part, let label, let step):
            "\(label): the \(part)\(Self.place(step)) is not a finite number"
        case .negativeVariance(let label, let step): "\(label): the variance\(Self.place(step)) is below 0"
        case .neverReached(let label): "\(label): no batch reached it"
        case .noPositions(let label): "\(label): no batch had a valid position there"
        case .estimatorNeeds(let part, let estimator, let label):
            "\(label): the estimator \(estimator.rawValue) needs a \(part), which is not known"
        case .tooLarge(let label, let steps, let channels):
            "\(label): \(channels) channels at steps \(steps) are over the size limit"
        case .tooManyBatches(let label): "\(label): more batches than can be counted"
        case .notMergeable(let label, let other):
            "\(label): it cannot be merged with \(other), which is another statistic"
        case .malformed(let label, let what): "\(label): its stored form is damaged: \(what)"
        }
    }

    private static func place(_ step: [Int]) -> String {
        step.isEmpty ? "" : " at step \(step.map(String.init).joined(separator: ", "))"
    }
}
