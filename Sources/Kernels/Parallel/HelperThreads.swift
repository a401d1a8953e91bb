internal import NIOConcurrencyHelpers

/// Threads that take part in calls of others, and stay awake for a moment after each.
///
/// A run is a row of kernels with little in between: to wake a thread for each would cost more than many of them take. So a thread
/// that has helped looks out for its next call for a tenth of a millisecond before it goes to sleep, and whoever calls takes the
/// threads that helped last.
final class HelperThreads: Sendable {
    /// Those of the process, as many as were ever needed at once.
    static let shared = HelperThreads()

    /// The threads that have nothing to do, those that helped last at the end.
    private let idle = NIOLockedValueBox<[Helper]>([])
    private let start: @Sendable (HelperThreads) -> Helper?

    /// No threads yet; `start` makes one, or does not if the system gives no more.
    init(start: @escaping @Sendable (HelperThreads) -> Helper? = { Helper.start(in: $0) }) {
        self.start = start
    }

    /// Calls the body on the calling thread and on helpers; returns when all calls have.
    ///
    /// - Parameters:
    ///   - count: The number of helpers; fewer if the system gives no more threads, then the calling thread makes their calls, one
    ///     after the other.
    ///   - body: Is told whether it runs for a helper.
    /// - Complexity: About a microsecond if the helpers are awake.
    func run(on count: Int, _ body: (_ isHelper: Bool) -> Void) {
        withoutActuallyEscaping(body) { body in
            // Each call's own until it counts itself as done, and this frame outlives that.
            nonisolated(unsafe) let body = body
            withUnsafePointer(to: body) { body in
                let call = Call(body, helpers: count)
                for _ in 0..<count {
                    if let helper = take() { helper.join(call) } else { call.make() }
                }
                body.pointee(false)
                call.wait()
            }
        }
    }

    /// A thread that has nothing to do, which may be a new one.
    private func take() -> Helper? {
        idle.withLockedValue { $0.popLast() } ?? start(self)
    }

    /// Takes back a thread.
    func give(_ helper: Helper) { idle.withLockedValue { $0.append(helper) } }
}
