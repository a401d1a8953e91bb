/// What an output of a model means.
public struct OutputSignature: Sendable, Equatable {
    /// What a row of an output belongs to.
    public enum Kind: Sendable, Equatable {
        /// One row for a sequence: `[B, ...features]`.
        case perSequence
        /// One row for a position: the batch is axis 0, time is another axis.
        case perPosition(timeAxis: Int)
    }

    /// The output's name.
    public var name: String
    /// What a row belongs to.
    public var kind: Kind
    /// The lengths of the axes that are neither batch nor time; nil where the model does not tell.
    public var features: [Int?]

    /// An output.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - kind: What a row belongs to.
    ///   - features: The lengths of the axes that are neither batch nor time.
    public init(name: String, kind: Kind, features: [Int?]) {
        self.name = name
        self.kind = kind
        self.features = features
    }
}

extension OutputSignature: Codable {
    private enum CodingKeys: String, CodingKey {
        case name, kind
        case timeAxis = "time_axis"
        case features
    }
    private enum KindName: String, Codable {
        case perSequence = "per_sequence"
        case perPosition = "per_position"
    }

    /// Reads `name`, `kind`, `features` and, for an output per position, `time_axis`.
    ///
    /// - Parameter decoder: The decoder.
    /// - Throws: `DecodingError` if one is missing or of another type.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        switch try container.decode(KindName.self, forKey: .kind) {
        case .perSequence: kind = .perSequence
        case .perPosition: kind = .perPosition(timeAxis: try container.decode(Int.self, forKey: .timeAxis))
        }
        features = try container.decode([Int?].self, forKey: .features)
    }

    /// Writes `name`, `kind`, `features` and, for an output per position, `time_axis`.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        switch kind {
        case .perSequence: try container.encode(KindName.perSequence, forKey: .kind)
        case .perPosition(let timeAxis):
            try container.encode(KindName.perPosition, forKey: .kind)
            try container.encode(timeAxis, forKey: .timeAxis)
        }
        try container.encode(features, forKey: .features)
    }
}
