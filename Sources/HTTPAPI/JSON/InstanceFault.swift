/// Why one sequence of a body cannot be read.
public struct InstanceFault: Sendable, Hashable {
    /// The place of the sequence in the body, from 0.
    public var index: Int
    /// Why; the place begins at the body.
    public var error: BodyError

    /// A fault.
    ///
    /// - Parameters:
    ///   - index: From 0.
    ///   - error: Why.
    public init(index: Int, error: BodyError) {
        self.index = index
        self.error = error
    }
}

/// Several sequences of one body cannot be read.
struct InstanceFaults: Error {
    /// In order, at least one.
    let faults: [InstanceFault]
}
