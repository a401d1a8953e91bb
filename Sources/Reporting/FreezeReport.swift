/// What a person should see of a freeze: where the statistics come from, what was proven, and the statistics themselves.
///
/// Plain values, without any of the work that led to them; ``html()`` and ``json()`` write them down.
///
/// ```swift
/// let report = FreezeReport(
///     title: "vowels-cnn", provenance: provenance, proofs: proofs, warnings: [], statistics: statistics)
/// try Data(report.html().utf8).write(to: file)
/// ```
public struct FreezeReport: Sendable, Equatable, Codable {
    /// The model's name.
    public var title: String
    /// What was frozen, from which data, how.
    public var provenance: Provenance
    /// What was verified before anything was written; empty if nothing was.
    public var proofs: [Proof]
    /// What deserves attention, a sentence each.
    public var warnings: [String]
    /// Every normalization's statistics, in the order of the graph.
    public var statistics: [StatisticReport]

    /// A report from its parts.
    ///
    /// - Parameters:
    ///   - title: The model's name.
    ///   - provenance: What was frozen, from which data, how.
    ///   - proofs: What was verified.
    ///   - warnings: What deserves attention.
    ///   - statistics: Every normalization's statistics.
    public init(
        title: String,
        provenance: Provenance,
        proofs: [Proof] = [],
        warnings: [String] = [],
        statistics: [StatisticReport]
    ) {
        self.title = title
        self.provenance = provenance
        self.proofs = proofs
        self.warnings = warnings
        self.statistics = statistics
    }
}

extension FreezeReport {
    /// What was frozen, from which data, how.
    public struct Provenance: Sendable, Equatable, Codable {
        /// Which command made the statistics.
        public enum Kind: String, Sendable, Equatable, Codable {
            /// A training graph was frozen.
            case freeze
            /// A frozen graph's statistics were estimated anew.
            case recalibrate
            /// Raw features' statistics, without a graph.
            case fit
        }

        /// Which command made the statistics.
        public var kind: Kind
        /// The model file's name; nil where there was none.
        public var model: String?
        /// The SHA-256 of the model file, in hexadecimal; nil where there was none.
        public var modelDigest: String?
        /// The data's name.
        public var data: String
        /// The digest of the data, in hexadecimal; nil if it is not known.
        public var dataDigest: String?
        /// How the batches were combined: `pooled`, `mean-of-batches` or `gist`.
        public var estimator: String
        /// What holds after the last step of a batch: `repeat` or `hold`; nil where no statistic has steps.
        public var tail: String?
        /// Whether padding counted: `exclude` or `include`; nil where the model itself decides.
        public var padding: String?
        /// How many batches were read.
        public var batches: Int
        /// How many sequences were in them; nil if it is not known.
        public var sequences: Int?
        /// How many valid positions were in them; nil if it is not known.
        public var positions: Int?
        /// The program and its version.
        public var tool: String

        /// A provenance from its parts.
        ///
        /// - Parameters:
        ///   - kind: Which command made the statistics.
        ///   - model: The model file's name.
        ///   - modelDigest: The SHA-256 of the model file.
        ///   - data: The data's name.
        ///   - dataDigest: The digest of the data.
        ///   - estimator: How the batches were combined.
        ///   - tail: What holds after the last step of a batch.
        ///   - padding: Whether padding counted.
        ///   - batches: At least 1.
        ///   - sequences: How many sequences were in them.
        ///   - positions: How many valid positions were in them.
        ///   - tool: The program and its version.
        public init(
            kind: Kind,
            model: String?,
            modelDigest: String?,
            data: String,
            dataDigest: String?,
            estimator: String,
            tail: String?,
            padding: String?,
            batches: Int,
            sequences: Int?,
            positions: Int?,
            tool: String
        ) {
            self.kind = kind
            self.model = model
            self.modelDigest = modelDigest
            self.data = data
            self.dataDigest = dataDigest
            self.estimator = estimator
            self.tail = tail
            self.padding = padding
            self.batches = batches
            self.sequences = sequences
            self.positions = positions
            self.tool = tool
        }

        private enum CodingKeys: String, CodingKey {
            case kind, model, data, estimator, tail, padding, batches, sequences, positions, tool
            case modelDigest = "model_digest"
            case dataDigest = "data_digest"
        }
    }

    /// One thing that was verified, or could not be.
    public struct Proof: Sendable, Equatable, Codable {
        /// How it came out.
        public enum Verdict: String, Sendable, Equatable, Codable {
            /// It holds.
            case held
            /// It does not hold.
            case failed
            /// It could not be looked at.
            case notChecked = "not_checked"
        }

        /// What holds, in a sentence.
        public var claim: String
        /// How it came out.
        public var verdict: Verdict
        /// Why it failed or could not be looked at; nil if it holds.
        public var reason: String?
        /// The largest difference that was found; nil where the claim is no comparison.
        public var difference: Double?
        /// The largest difference that would have passed; nil where the claim is no comparison.
        public var tolerance: Double?

        /// A proof.
        ///
        /// - Parameters:
        ///   - claim: What holds, in a sentence.
        ///   - verdict: How it came out.
        ///   - reason: Why it failed or could not be looked at.
        ///   - difference: The largest difference that was found.
        ///   - tolerance: The largest difference that would have passed.
        public init(
            claim: String,
            verdict: Verdict,
            reason: String? = nil,
            difference: Double? = nil,
            tolerance: Double? = nil
        ) {
            self.claim = claim
            self.verdict = verdict
            self.reason = reason
            self.difference = difference
            self.tolerance = tolerance
        }
    }
}

extension FreezeReport.Proof: CustomStringConvertible {
    /// Verdict, claim, reason and figures in one line.
    public var description: String {
        let word =
            switch verdict {
            case .held: "verified"
            case .failed: "FAILED"
            case .notChecked: "not checked"
            }
        return ([word + ": " + claim] + notes.map { "(\($0))" }).joined(separator: " ")
    }

    /// The reason, and the difference with its limit.
    var notes: [String] {
        var notes = reason.map { [$0] } ?? []
        if let difference {
            let limit = tolerance.map { ", allowed \(Figures.number($0))" } ?? ""
            notes.append("largest difference \(Figures.number(difference))\(limit)")
        }
        return notes
    }
}
