/// An answer, or the work that has to wait for one.
///
/// Most answers need no waiting, and a task for each would cost more than they do.
public enum Reply: Sendable {
    /// The answer.
    case now(HTTPResponse)
    /// What makes the answer, and may be suspended meanwhile.
    case later(@Sendable () async -> HTTPResponse)

    /// The answer, waited for if need be.
    public var response: HTTPResponse {
        get async {
            switch self {
            case .now(let response): response
            case .later(let work): await work()
            }
        }
    }
}
