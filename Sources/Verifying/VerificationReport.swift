/// What was found out about a model by running it.
public struct VerificationReport: Sendable, Equatable, Codable {
    /// The checks, in the order they were made.
    public var checks: [Check]
    /// The lengths that were tried.
    public var triedLengths: [Int]
    /// Those of them that fail, with the reason.
    public var failingLengths: [LengthFailure]
    /// The inputs that no output depends on.
    public var unusedInputs: [String]

    /// Whether no check failed.
    ///
    /// - Parameter allowed: Checks that may fail.
    /// - Returns: Whether all others held.
    public func isHeld(allowing allowed: Set<Check.Kind> = []) -> Bool {
        checks.allSatisfy { $0.outcome != .failed || allowed.contains($0.kind) }
    }

    /// A length that a model does not take.
    public struct LengthFailure: Sendable, Equatable, Codable {
        /// The number of positions.
        public let length: Int
        /// The node and the rule.
        public let reason: String
    }

    /// One property of a model.
    public struct Check: Sendable, Equatable, Codable {
        /// Which property.
        public enum Kind: String, Sendable, Codable, CaseIterable {
            /// Sequences of every length are answered.
            case lengths
            /// Every input has an effect.
            case inputs
            /// The model as such does not depend on how far a sequence is padded, with zeros or the pad token.
            case padding
            /// The model as such does not depend on what stands at padding.
            case paddingContent = "padding_content"
            /// The model as such does not depend on other sequences of the batch.
            case company
            /// The model as such does not depend on the order of the sequences.
            case order
            /// Served ragged, a sequence gets the bits that it gets alone.
            case ragged
        }

        /// What came out.
        public enum Outcome: String, Sendable, Codable {
            /// It holds for all that was tried.
            case held
            /// It does not hold.
            case failed
            /// It does not hold, which is no fault by itself.
            case noted
            /// It could not be looked at.
            case notChecked = "not_checked"
        }

        /// Which property.
        public let kind: Kind
        /// What came out.
        public let outcome: Outcome
        /// A sentence.
        public let detail: String
        /// The first node at which it does not hold.
        public var node: String?
        /// The operator of that node.
        public var operatorType: String?
        /// The output that differs most.
        public var output: String?
        /// How far that output differs, in parts of its largest magnitude; infinite where it is of another shape or not
        /// finite.
        public var largestDifference: Double?
        /// How many comparisons were made.
        public var comparisons: Int

        init(_ kind: Kind, _ outcome: Outcome, _ detail: String, comparisons: Int = 0) {
            self.kind = kind
            self.outcome = outcome
            self.detail = detail
            self.comparisons = comparisons
        }
    }
}
