/// What a key may be for, and what a route asks of one.
public enum AccessScope: String, Sendable, CaseIterable {
    /// Models: metadata and predictions.
    case infer
    /// Figures for monitoring.
    case metrics
    /// Control of the server.
    case admin
}

/// Why a request is not let in.
public enum AccessDenied: Error, Hashable, Sendable {
    /// The request has no key.
    case missingKey
    /// The key is none of the server's.
    case unknownKey
    /// The key is good, but not for this.
    case missingScope(AccessScope)
}

extension AccessDenied: CustomStringConvertible {
    /// One sentence, without the key.
    public var description: String {
        switch self {
        case .missingKey: "a key is required, as Authorization: Bearer KEY or X-API-Key: KEY"
        case .unknownKey: "the key is not known"
        case .missingScope(let scope): "the key lacks the scope \(scope.rawValue)"
        }
    }
}
