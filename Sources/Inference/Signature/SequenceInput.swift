/// The input of a model that takes the sequences.
public struct SequenceInput: Sendable, Equatable {
    /// The order of the axes of features.
    public enum Layout: String, Sendable, Codable {
        /// `[B, C, L]`.
        case channelsFirst = "channels_first"
        /// `[B, L, C]`.
        case channelsLast = "channels_last"
    }

    /// What a position of a sequence is.
    public enum Kind: Sendable, Equatable {
        /// A row of `channels` float32 numbers.
        case features(layout: Layout, channels: Int)
        /// A number out of a vocabulary; the input is int64 `[B, L]`.
        case tokens
    }

    /// The input's name.
    public var name: String
    /// What a position is.
    public var kind: Kind

    /// An input.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - kind: What a position is.
    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

extension SequenceInput: Codable {
    private enum CodingKeys: String, CodingKey { case name, kind, layout, channels }
    private enum KindName: String, Codable { case features, tokens }

    /// Reads `name`, `kind` and, for features, `layout` and `channels`.
    ///
    /// - Parameter decoder: The decoder.
    /// - Throws: `DecodingError` if one is missing or of another type.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        switch try container.decode(KindName.self, forKey: .kind) {
        case .tokens: kind = .tokens
        case .features:
            kind = .features(
                layout: try container.decode(Layout.self, forKey: .layout),
                channels: try container.decode(Int.self, forKey: .channels)
            )
        }
    }

    /// Writes `name`, `kind` and, for features, `layout` and `channels`.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        switch kind {
        case .tokens: try container.encode(KindName.tokens, forKey: .kind)
        case .features(let layout, let channels):
            try container.encode(KindName.features, forKey: .kind)
            try container.encode(layout, forKey: .layout)
            try container.encode(channels, forKey: .channels)
        }
    }
}
