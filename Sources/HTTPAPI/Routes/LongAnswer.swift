import HTTPServer
import Inference
import NIOCore
import Serving

/// Keeps the writing of long answers off the thread that moves the bytes of all connections.
enum LongAnswer {
    /// The reply that writes what a model says, at once if it is there and short.
    ///
    /// - Parameters:
    ///   - progress: The model's outputs, or what waits for them.
    ///   - encode: Writes them.
    /// - Returns: The reply.
    /// - Throws: What `encode` throws.
    static func reply(
        _ progress: InferenceService.Progress,
        _ encode: @escaping @Sendable (InferenceAnswer) throws -> HTTPResponse
    ) throws -> Route.Outcome {
        switch progress {
        case .finished(let answer) where isShort(answer.outputs): return .now(try encode(answer))
        case .finished(let answer):
            return .later { try await write(answer.outputs) { try encode(answer) } }
        case .waiting(let answer):
            return .later {
                let answer = try await answer()
                return try await write(answer.outputs) { try encode(answer) }
            }
        }
    }

    private static func isShort(_ outputs: [SequenceOutput]) -> Bool {
        outputs.reduce(0) { $0 + $1.rows.count } <= shortCount
    }

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
        guard !isShort(outputs) else { return try encode() }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) { try encode() }
    }
}
