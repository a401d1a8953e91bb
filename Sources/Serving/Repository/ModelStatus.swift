/// Where one version of a model stands.
public struct ModelStatus: Hashable, Sendable {
    /// What a version is doing.
    public enum State: Hashable, Sendable {
        /// It is waiting to be read, being read, or warming up.
        case loading
        /// It answers.
        case ready
        /// It cannot be served.
        case failed(reason: String)
    }

    /// The model's name.
    public let name: String
    /// The version; 0 if the model's folder has no valid version.
    public let version: Int
    /// What the version is doing.
    public let state: State
}

/// Whether requests should be sent here.
public enum Readiness: Hashable, Sendable {
    /// Every model answers.
    case ready
    /// Something is missing; the reason is one sentence.
    case notReady(reason: String)
}
