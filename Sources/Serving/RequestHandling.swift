/// How one request wants to be treated.
public struct RequestHandling: Hashable, Sendable {
    /// How urgent it is.
    public var priority: RequestPriority
    /// When the answer is of no use any more; nil: never.
    public var deadline: ContinuousClock.Instant?
    /// Whether a sequence that cannot be answered leaves the others their answers, or fails the request.
    public var isolatesFaults: Bool

    /// How a request is treated; without arguments, one that asks for nothing.
    ///
    /// - Parameters:
    ///   - priority: How urgent it is.
    ///   - deadline: When the answer is of no use any more.
    ///   - isolatesFaults: Whether a faulty sequence leaves the others their answers.
    public init(
        priority: RequestPriority = .interactive,
        deadline: ContinuousClock.Instant? = nil,
        isolatesFaults: Bool = false
    ) {
        self.priority = priority
        self.deadline = deadline
        self.isolatesFaults = isolatesFaults
    }
}
