/// When spans that a collector did not take are sent again.
///
/// The wait doubles each time and is drawn from its upper half, so that many servers do not come back at once;
/// a collector that says when to come back is believed, up to a bound.
public struct RetryPolicy: Hashable, Sendable {
    /// How often the same spans are sent at most.
    public var attempts: Int
    /// The wait before the second time.
    public var first: Duration
    /// The longest wait.
    public var longest: Duration

    /// A policy.
    ///
    /// - Parameters:
    ///   - attempts: At least 1.
    ///   - first: The wait before the second time.
    ///   - longest: The longest wait.
    public init(attempts: Int = 6, first: Duration = .seconds(1), longest: Duration = .seconds(60)) {
        self.attempts = attempts
        self.first = first
        self.longest = longest
    }

    /// Statuses after which the same spans may be sent again.
    ///
    /// - SeeAlso: OpenTelemetry protocol, OTLP/HTTP, Failures.
    static let transient: Set<Int> = [429, 502, 503, 504]

    /// The wait after a failure.
    ///
    /// - Parameters:
    ///   - attempt: How often the spans have been sent, from 1.
    ///   - asked: What the collector asked for.
    ///   - chance: From 0 to 1, for the place in the upper half.
    /// - Returns: The wait; nil if the spans have been sent often enough.
    func wait(after attempt: Int, asked: Duration?, chance: Double) -> Duration? {
        guard attempt < attempts else { return nil }
        if let asked { return min(asked, longest) }
        let whole = min(first * (1 << min(attempt - 1, 30)), longest)
        return whole * (0.5 + chance / 2)
    }
}
