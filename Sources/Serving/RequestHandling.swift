/// How one request wants to be treated.
public struct RequestHandling: Hashable, Sendable {
    /// How urgent it is.
    public var priority: RequestPriority

    /// How a request is treated that asks for nothing.
    ///
    /// - Parameter priority: How urgent it is.
    public init(priority: RequestPriority = .interactive) {
        self.priority = priority
    }
}
