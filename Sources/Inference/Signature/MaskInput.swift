public import TensorCore

/// The input of a model that takes the mask: 1 or true at real positions, 0 or false at padding.
public struct MaskInput: Sendable, Equatable {
    /// The input's name.
    public var name: String
    /// float32, int64 or bool.
    public var elementType: ElementType
    /// 3 for `[B, 1, L]`, 2 for `[B, L]`.
    public var rank: Int

    /// An input.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - elementType: float32, int64 or bool.
    ///   - rank: 3 for `[B, 1, L]`, 2 for `[B, L]`.
    public init(name: String, elementType: ElementType = .float32, rank: Int) {
        self.name = name
        self.elementType = elementType
        self.rank = rank
    }
}

/// The input of a model that takes the length of each sequence, `[B]`.
public struct LengthsInput: Sendable, Equatable {
    /// The input's name.
    public var name: String
    /// int64 or int32.
    public var elementType: ElementType

    /// An input.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - elementType: int64 or int32.
    public init(name: String, elementType: ElementType = .int64) {
        self.name = name
        self.elementType = elementType
    }
}

extension MaskInput: Codable {
    private enum CodingKeys: String, CodingKey {
        case name
        case elementType = "element_type"
        case rank
    }

    /// Reads `name`, `element_type` and `rank`.
    ///
    /// - Parameter decoder: The decoder.
    /// - Throws: `DecodingError` if one is missing or of another type.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        elementType = try container.decodeElementType(forKey: .elementType)
        rank = try container.decode(Int.self, forKey: .rank)
    }

    /// Writes `name`, `element_type` and `rank`.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(elementType.rawValue, forKey: .elementType)
        try container.encode(rank, forKey: .rank)
    }
}

extension LengthsInput: Codable {
    private enum CodingKeys: String, CodingKey {
        case name
        case elementType = "element_type"
    }

    /// Reads `name` and `element_type`.
    ///
    /// - Parameter decoder: The decoder.
    /// - Throws: `DecodingError` if one is missing or of another type.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        elementType = try container.decodeElementType(forKey: .elementType)
    }

    /// Writes `name` and `element_type`.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(elementType.rawValue, forKey: .elementType)
    }
}

extension KeyedDecodingContainer {
    fileprivate func decodeElementType(forKey key: Key) throws -> ElementType {
        let name = try decode(String.self, forKey: key)
        guard let type = ElementType(rawValue: name) else {
            throw DecodingError.dataCorruptedError(
                forKey: key,
                in: self,
                debugDescription: "no such element type"
            )
        }
        return type
    }
}
