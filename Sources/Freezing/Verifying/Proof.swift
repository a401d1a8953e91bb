/// What was shown of a frozen graph before it is written.
public struct Proof: Sendable, Hashable {
    /// What is shown.
    public enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
        /// The frozen graph computes no statistic from its batch.
        case noStatisticLeft = "no_statistic_left"
        /// With the statistics of a batch put in, the frozen graph gives what the training graph gives for that batch.
        case ownStatistics = "own_statistics"
        /// Freezing the frozen graph again changes nothing.
        case freezingAgain = "freezing_again"
        /// A sequence alone gets the answer that it gets in a padded batch.
        case aloneEqualsBatch = "alone_equals_batch"
    }

    /// Whether it could be shown.
    public enum Outcome: Sendable, Hashable {
        /// It holds.
        case held
        /// It does not hold, with what is wrong.
        case failed(String)
        /// It could not be looked at, with the reason.
        case notApplicable(String)
    }

    /// What is shown.
    public let kind: Kind
    /// Whether it could be shown.
    public let outcome: Outcome
    /// How many values were compared, or nodes looked at.
    public let checked: Int
    /// The largest difference relative to the largest magnitude of its output; nil where nothing is compared.
    public let largestDifference: Double?
    /// The largest difference allowed.
    public let tolerance: Double?

    init(
        _ kind: Kind,
        _ outcome: Outcome,
        checked: Int = 0,
        largestDifference: Double? = nil,
        tolerance: Double? = nil
    ) {
        self.kind = kind
        self.outcome = outcome
        self.checked = checked
        self.largestDifference = largestDifference
        self.tolerance = tolerance
    }

    /// Whether it holds.
    public var isHeld: Bool { outcome == .held }
}

extension Proof: CustomStringConvertible {
    /// What was shown, in a sentence.
    public var description: String {
        let claim =
            switch kind {
            case .noStatisticLeft: "no batch statistic is left"
            case .ownStatistics:
                "with a batch's own statistics the frozen graph gives the training graph's outputs"
            case .freezingAgain: "freezing the frozen graph changes nothing"
            case .aloneEqualsBatch: "a sequence alone gets the answer it gets in a padded batch"
            }
        let figures = largestDifference.map { " (largest relative difference \($0))" } ?? ""
        return switch outcome {
        case .held: claim + figures
        case .failed(let reason): "not so: \(claim)\(figures): \(reason)"
        case .notApplicable(let reason): "not checked: \(claim): \(reason)"
        }
    }
}
