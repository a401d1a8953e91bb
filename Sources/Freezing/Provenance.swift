import FoundationEssentials
public import Statistics

/// How a frozen graph was made; in its metadata as JSON under ``key``.
public struct Provenance: Sendable, Equatable, Codable {
    /// The key in a model's metadata.
    public static let key = "seqnorm.freeze"

    /// What the caller knows of a freeze, and the graph does not.
    public struct Source: Sendable, Equatable {
        /// The version of the program.
        public var toolVersion: String
        /// The SHA-256 of the training graph's file; nil if it was not read from one.
        public var modelDigest: String?
        /// What the data is called, such as the names of its files.
        public var data: [String]

        /// What the caller knows.
        ///
        /// - Parameters:
        ///   - toolVersion: The version of the program.
        ///   - modelDigest: The SHA-256 of the training graph's file.
        ///   - data: What the data is called.
        public init(toolVersion: String, modelDigest: String? = nil, data: [String] = []) {
            self.toolVersion = toolVersion
            self.modelDigest = modelDigest
            self.data = data
        }
    }

    /// How one site was frozen.
    public struct Site: Sendable, Equatable, Codable {
        /// The stem of the labels.
        public var label: String
        /// How it was found.
        public var origin: BatchStatisticSite.Origin
        /// How the batches were put together.
        public var estimator: Estimator
        /// What steps that a batch did not reach took from it.
        public var tail: Tail
        /// The numbers of steps, outermost loop first.
        public var steps: [Int]
        /// The fewest batches that reached a step.
        public var leastCoverage: Int64
        /// How many positions the statistics are of, over all steps; nil if not known.
        public var positions: Double?
    }

    /// The program.
    public var tool: String
    /// Its version.
    public var toolVersion: String
    /// The SHA-256 of the training graph's file.
    public var modelDigest: String?
    /// What the data is called.
    public var data: [String]
    /// A digest of the batches, whatever their order.
    public var dataDigest: String
    /// How many batches there were.
    public var batches: Int
    /// How many sequences they had.
    public var sequences: Int
    /// How many valid positions they had.
    public var positions: Int
    /// What a BatchNormalization in training mode was estimated over.
    public var padding: Padding
    /// Variances are divided by the number of positions, not by one less.
    public var varianceDivisor: String
    /// Whether the statistics of a frozen graph were estimated anew.
    public var isRecalibration: Bool
    /// Every site.
    public var sites: [Site]

    private enum CodingKeys: String, CodingKey {
        case tool, data, batches, sequences, positions, padding, sites
        case toolVersion = "tool_version"
        case modelDigest = "model_digest"
        case dataDigest = "data_digest"
        case varianceDivisor = "variance_divisor"
        case isRecalibration = "recalibration"
    }

    /// The JSON that is written into the metadata, its keys sorted.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
