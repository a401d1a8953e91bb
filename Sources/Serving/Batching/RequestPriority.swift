/// How urgent a request is.
public enum RequestPriority: String, Hashable, Sendable, CaseIterable {
    /// Somebody waits for the answer.
    case interactive
    /// Work that may wait: it is run with what interactive requests leave of a batch, and when none waits.
    ///
    /// One batch in eight is filled with it first, so that it never comes to a stop.
    case bulk
}
