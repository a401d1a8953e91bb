import Inference

/// Keeps the writing of long answers off the thread that moves the bytes of all connections.
enum LongAnswer {
    /// Up to this many numbers are written sooner than another thread is woken for them.
    private static let shortCount = 2048

    /// Writes an answer, a long one on Swift's cooperative pool.
    ///
    /// - Parameters:
    ///   - outputs: What is written; their numbers are counted.
    ///   - encode: Writes them.
    /// - Returns: What `encode` returns.
    /// - Throws: What `encode` throws.
    static func write<R: Sendable>(
        _ outputs: [SequenceOutput],
        _ encode: @Sendable () throws -> R
    ) async throws -> R {
        guard outputs.reduce(0, { $0 + $1.rows.count }) > shortCount else { return try encode() }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) { try encode() }
    }
}
