import NIOConcurrencyHelpers

/// Executors made so far, by request.
final class ExecutorCache: Sendable {
    struct Key: Equatable {
        let request: OutputRequest
        let batching: Batching
    }

    /// The most requests that are kept: callers choose the outputs, so there may be ever new ones.
    static let maximumCount = 64

    /// Few, so that comparing them all is less than hashing their names.
    private let executors = NIOLockedValueBox<[(key: Key, executor: any SequenceExecutor)]>([])

    /// The executor for a key; made without the lock, so that a slow plan holds nobody up.
    func executor(
        for key: Key,
        make: () throws(PlanError) -> any SequenceExecutor
    ) throws(PlanError) -> any SequenceExecutor {
        if let found = find(key) { return found }
        let made = try make()
        keep(made, for: key)
        return made
    }

    /// The executor for a key, if it was made before.
    func find(_ key: Key) -> (any SequenceExecutor)? {
        executors.withLockedValue { $0.first { $0.key == key }?.executor }
    }

    private func keep(_ executor: any SequenceExecutor, for key: Key) {
        executors.withLockedValue { executors in
            executors.removeAll { $0.key == key }
            if executors.count >= Self.maximumCount { executors.removeAll() }
            executors.append((key, executor))
        }
    }
}
