internal import Synchronization

/// How many more threads than the calling one a piece of work may take.
///
/// Who runs work on several threads keeps count of those that have nothing to do; a kernel with enough rows takes some of
/// them for the time of a call. Nobody waits for a thread, so while all are busy everything runs where it was called.
/// ```swift
/// let threads = SpareThreads(3)
/// SpareThreads.$current.withValue(threads) { GEMM.multiply(m: 100_000, a: a, lda: k, matrix, c: c, ldc: n) }
/// ```
public final class SpareThreads: Sendable {
    /// Those that the calling thread may take; nil: it does all work itself.
    @TaskLocal public static var current: SpareThreads?

    /// What a part of a piece of work has at least, in multiply-adds.
    public let grain: Int
    /// Below 0 if threads that had been taken were then needed by others.
    private let count: Atomic<Int>

    /// Threads that have nothing to do.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - grain: What a part of a piece of work has at least, in multiply-adds; at the default some 10 microseconds, several times
    ///     what it takes to call a thread that helped a moment ago.
    public init(_ count: Int = 0, grain: Int = 1 << 20) {
        self.count = Atomic(count)
        self.grain = max(1, grain)
    }

    /// Notes that a thread has got something to do.
    public func occupy() { count.subtract(1, ordering: .relaxed) }

    /// Notes that a thread has nothing to do.
    public func release() { count.add(1, ordering: .relaxed) }

    /// Whether more threads have something to do than there are.
    var isOverdrawn: Bool { count.load(ordering: .relaxed) < 0 }

    /// Occupies as many threads as there are, up to `wanted`.
    ///
    /// - Returns: How many; each is to be released.
    func take(_ wanted: Int) -> Int {
        var available = count.load(ordering: .relaxed)
        while available > 0, wanted > 0 {
            let taken = min(available, wanted)
            let (exchanged, original) = count.weakCompareExchange(
                expected: available,
                desired: available - taken,
                ordering: .relaxed
            )
            if exchanged { return taken }
            available = original
        }
        return 0
    }
}
