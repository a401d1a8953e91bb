/// What a person wants to know of a model before serving it.
public struct ModelSummary: Sendable, Equatable, Codable {
    /// How often an operator is used, loops' bodies included.
    public struct OperatorCount: Sendable, Equatable, Codable {
        /// The operator, with its domain before a dot if it is not ONNX's own.
        public var name: String
        /// How often it is used.
        public var count: Int
    }

    /// Population statistics at one place.
    public struct Site: Sendable, Equatable, Codable {
        /// The label, or the path.
        public var name: String
        /// The path of the last node of the normalization.
        public var path: String
        /// How the normalization is written.
        public var kind: NormalizationSite.Kind
        /// The number of channels.
        public var channels: Int
        /// The shape of the statistics in the file.
        public var shape: [Int]
        /// How many time steps the statistics have, outermost loop first; empty for one for all steps.
        public var steps: [Int]
        /// The least and the greatest mean; nil if one is not finite.
        public var meanRange: [Float]?
        /// The least and the greatest variance; nil if one is not finite or only deviations are in the file.
        public var varianceRange: [Float]?

        private enum CodingKeys: String, CodingKey {
            case name, path, kind, channels, shape, steps
            case meanRange = "mean_range"
            case varianceRange = "variance_range"
        }
    }

    /// The SHA-256 digest of the file, in hexadecimal digits.
    public var digest: String
    /// The version of the file format.
    public var irVersion: Int64
    /// The version of ONNX's own operator set; nil if the model imports none.
    public var opset: Int?
    /// The program that made the model.
    public var producer: String
    /// The number of trained parameters: elements of all floating-point constants with an axis, population
    /// statistics left out.
    public var parameters: Int
    /// The operators, by name.
    public var operators: [OperatorCount]
    /// Where values are normalized with population statistics.
    public var sites: [Site]
    /// What inputs and outputs mean; nil if that cannot be told.
    public var signature: Signature?
    /// Why it cannot be told; nil if it can.
    public var signatureFault: String?

    private enum CodingKeys: String, CodingKey {
        case digest
        case irVersion = "ir_version"
        case opset, producer, parameters, operators, sites, signature
        case signatureFault = "signature_fault"
    }
}
