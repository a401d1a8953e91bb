internal import FoundationEssentials

/// What a `model.json` or a model's metadata says of its signature; everything may be left out.
struct SignatureStatements: Decodable {
    struct Sequence: Decodable {
        enum Kind: String, Decodable { case features, tokens }
        var name: String?
        var kind: Kind?
        var layout: SequenceInput.Layout?
        var channels: Int?
    }
    struct Input: Decodable {
        var name: String
    }
    struct Output: Decodable {
        enum Kind: String, Decodable {
            case perSequence = "per_sequence"
            case perPosition = "per_position"
        }
        enum CodingKeys: String, CodingKey {
            case name, kind
            case timeAxis = "time_axis"
        }
        var name: String
        var kind: Kind?
        var timeAxis: Int?
    }

    var sequence: Sequence?
    var mask: Input?
    var lengths: Input?
    var outputs: [Output]?
    var alphabet: Alphabet?
    var padID: Int64?
    var labels: [String]?

    enum CodingKeys: String, CodingKey {
        case sequence, mask, lengths, outputs, alphabet
        case padID = "pad_id"
        case labels
    }

    init() {}

    /// The statements of both places; `model.json` comes before the metadata, key by key.
    init(metadata: [String: String], document: Data?) throws(SignatureError) {
        try readMetadata(metadata)
        guard let document else { return }
        let root = try Self.decode(Document.self, from: document, at: .document)
        if let signature = root.signature { override(by: signature) }
        override(by: root.statements)
    }

    private struct Document: Decodable {
        enum CodingKeys: String, CodingKey { case signature }
        var signature: SignatureStatements?
        var statements: SignatureStatements
        init(from decoder: any Decoder) throws {
            signature = try decoder.container(keyedBy: CodingKeys.self)
                .decodeIfPresent(SignatureStatements.self, forKey: .signature)
            statements = try SignatureStatements(from: decoder)
        }
    }

    private mutating func readMetadata(_ metadata: [String: String]) throws(SignatureError) {
        if let text = metadata["signature"] {
            let whole = try Self.decode(
                SignatureStatements.self,
                from: Data(text.utf8),
                at: .metadata(key: "signature")
            )
            override(by: whole)
        }
        if let text = metadata["alphabet"] {
            if text.first == "{" {
                alphabet = try Self.decode(
                    Alphabet.self,
                    from: Data(text.utf8),
                    at: .metadata(key: "alphabet")
                )
            } else {
                do { alphabet = try Alphabet(letters: text) } catch { throw .invalidAlphabet(error) }
            }
        }
        if let text = metadata["pad_id"] {
            guard let id = Int64(text) else {
                throw .invalidDocument(source: .metadata(key: "pad_id"), reason: "it is not an integer")
            }
            padID = id
        }
        if let text = metadata["labels"] {
            labels = try Self.decode([String].self, from: Data(text.utf8), at: .metadata(key: "labels"))
        }
    }

    private mutating func override(by other: SignatureStatements) {
        sequence = other.sequence ?? sequence
        mask = other.mask ?? mask
        lengths = other.lengths ?? lengths
        outputs = other.outputs ?? outputs
        alphabet = other.alphabet ?? alphabet
        padID = other.padID ?? padID
        labels = other.labels ?? labels
    }

    private static func decode<T: Decodable>(
        _ type: T.Type,
        from bytes: Data,
        at source: SignatureError.Source
    ) throws(SignatureError) -> T {
        do {
            return try JSONDecoder().decode(type, from: bytes)
        } catch let error as AlphabetError {
            throw .invalidAlphabet(error)
        } catch let error as DecodingError {
            throw .invalidDocument(source: source, reason: reason(error))
        } catch {
            throw .invalidDocument(source: source, reason: "it is not JSON")
        }
    }

    private static func reason(_ error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.isEmpty ? "it" : "'\(path.map(\.stringValue).joined(separator: "."))'"
        }
        return switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(place(context.codingPath)) has the wrong type"
        case .keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "it is not JSON" : "\(place(context.codingPath)) is not a known value"
        @unknown default: "it is not JSON"
        }
    }
}
