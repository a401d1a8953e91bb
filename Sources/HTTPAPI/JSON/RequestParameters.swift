import CSimdJSON
public import Serving

/// What `parameters` of a body says.
public struct RequestParameters: Sendable, Equatable {
    /// `top_k`: answer the k likeliest classes; from 1 to the number of classes.
    public var topK: Int?
    /// `priority`: `interactive` or `bulk`.
    public var priority: RequestPriority?
    /// `timeout_ms`: the milliseconds within which the answer is of use; at least 1.
    public var timeoutMilliseconds: Int?
    /// `on_error`: `isolate` answers the sequences that can be answered, `fail` (the default) none if one cannot.
    public var isolatesFaults: Bool
    /// `timing`: whether the answer tells how it was made.
    public var wantsTiming: Bool

    /// Parameters; without arguments, those of a body that has none.
    ///
    /// - Parameters:
    ///   - topK: How many classes, or nil.
    ///   - priority: How urgent it is, or nil.
    ///   - timeoutMilliseconds: At least 1, or nil.
    ///   - isolatesFaults: Whether faulty sequences leave the others their answers.
    ///   - wantsTiming: Whether the answer tells how it was made.
    public init(
        topK: Int? = nil,
        priority: RequestPriority? = nil,
        timeoutMilliseconds: Int? = nil,
        isolatesFaults: Bool = false,
        wantsTiming: Bool = false
    ) {
        self.topK = topK
        self.priority = priority
        self.timeoutMilliseconds = timeoutMilliseconds
        self.isolatesFaults = isolatesFaults
        self.wantsTiming = wantsTiming
    }

    /// The most milliseconds that may be asked for: a day.
    public static let maxTimeoutMilliseconds = 86_400_000

    static let knownKeys = ["top_k", "priority", "timeout_ms", "on_error", "timing"]

    /// Reads `priority` and `timeout_ms`, and passes over all other members.
    ///
    /// - Parameter value: The object.
    /// - Throws: ``BodyError/invalidJSON(_:at:)`` or ``BodyError/invalidInput(_:at:)``.
    init(tensors value: JSONValue) throws(BodyError) {
        self.init()
        try value.require(.object)
        var parameters = RequestParameters()
        try value.forEachMember { (key, value) throws(BodyError) in
            guard ["priority", "timeout_ms"].contains(key) else { return }
            try parameters.read(key, value, classCount: nil)
        }
        self = parameters
    }

    /// Reads the members of an object.
    ///
    /// - Parameters:
    ///   - value: The object.
    ///   - classCount: The number of the model's classes, nil if it has none.
    /// - Throws: ``BodyError/invalidJSON(_:at:)`` or ``BodyError/invalidInput(_:at:)``.
    init(_ value: JSONValue, classCount: Int?) throws(BodyError) {
        self.init()
        try value.require(.object)
        var parameters = RequestParameters()
        try value.forEachMember { (key, value) throws(BodyError) in
            try parameters.read(key, value, classCount: classCount)
        }
        self = parameters
    }

    private mutating func read(_ key: String, _ value: JSONValue, classCount: Int?) throws(BodyError) {
        switch key {
        case "top_k":
            guard let classCount else { throw .invalidInput(.noClasses, at: BodyPlace()) }
            topK = try TopClasses.check(value.integer(in: Int64.min...Int64.max), classCount: classCount)
        case "priority":
            let name = try value.word(of: RequestPriority.allCases.map(\.rawValue))
            priority = RequestPriority(rawValue: name)
        case "timeout_ms":
            timeoutMilliseconds = Int(try value.integer(in: 1...Int64(Self.maxTimeoutMilliseconds)))
        case "on_error": isolatesFaults = try value.word(of: ["fail", "isolate"]) == "isolate"
        case "timing":
            try value.require(.boolean)
            wantsTiming = value.isTrue
        default: throw .invalidInput(.unknownKey(known: Self.knownKeys), at: BodyPlace())
        }
    }
}

extension JSONValue {
    /// Whether this is `true`.
    var isTrue: Bool { kind == CSJ_TRUE }

    /// One of some words, or an error that names them.
    func word(of words: [String]) throws(BodyError) -> String {
        let text = try string()
        guard words.contains(text) else { throw .invalidInput(.notOneOf(words), at: BodyPlace()) }
        return text
    }
}
