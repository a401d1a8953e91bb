/// Which of the traces that begin here are recorded: decided by their names, so alike wherever it is asked.
public struct SamplingRatio: Hashable, Sendable {
    private let bound: UInt64

    /// A share of all traces.
    ///
    /// - Parameter ratio: From 0 (none) to 1 (all); what lies outside counts as the nearest.
    public init(_ ratio: Double) {
        bound = ratio >= 1 ? 1 << 63 : UInt64(max(0, ratio) * 0x1p63)
    }

    /// Whether a trace is recorded.
    ///
    /// - Parameter trace: Its name, random bits in the last 8 bytes.
    /// - Returns: True for the share of all names.
    public func takes(_ trace: TraceID) -> Bool { trace.low >> 1 < bound }
}
