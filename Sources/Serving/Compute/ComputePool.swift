import FoundationEssentials
internal import Kernels

/// Threads of their own for synchronous, compute-bound work, first come, first served.
///
/// Nothing that runs here can delay Swift's cooperative pool or an event loop, and nothing there waits for a
/// job in any way but by suspending.
///
/// ```swift
/// let pool = ComputePool(threads: 2)
/// let sum = try await pool.run { (1...1_000_000).reduce(0, +) }
/// await pool.shutdown()
/// ```
public final class ComputePool: Sendable {
    /// The most threads a pool starts.
    public static let maximumThreadCount = 1024

    /// The number of threads; less than asked for if the system gives no more.
    public let threadCount: Int
    private let queue: JobQueue

    /// Starts the threads.
    ///
    /// A job's arithmetic is shared with as many more threads as have no job at the time, so that one long sequence takes them all.
    ///
    /// - Parameters:
    ///   - threads: Brought into `1 ... maximumThreadCount`; nil: ``ProcessorQuota/threadCount``.
    ///   - name: What the threads are called in a debugger, with a number; systems may cut it to 15 bytes.
    ///   - grain: What is worth another thread, in multiply-adds; nil: the standard.
    ///   - onThreadStart: Run once on each thread before its first job.
    public init(
        threads: Int? = nil,
        name: String = "compute",
        grain: Int? = nil,
        onThreadStart: @escaping @Sendable () -> Void = {}
    ) {
        let count = threads ?? ProcessorQuota.threadCount
        let wanted = max(1, min(count, Self.maximumThreadCount))
        let queue = JobQueue(threads: wanted)
        let spare = grain.map { SpareThreads(grain: $0) } ?? SpareThreads()
        var started = 0
        for index in 0..<wanted {
            let hasThread = ComputeThread.start(name: "\(name)-\(index)") {
                onThreadStart()
                SpareThreads.$current.withValue(spare) {
                    while let job = queue.next() {
                        spare.occupy()
                        job()
                        spare.release()
                    }
                }
                queue.threadDidStop()
            }
            if hasThread { started += 1 } else { queue.threadDidStop() }
        }
        for _ in 0..<started { spare.release() }
        // Without a single thread nothing would ever run: better to refuse work than to let it wait.
        if started == 0 { queue.close() }
        threadCount = started
        self.queue = queue
    }

    /// Hands a job to the next free thread.
    ///
    /// - Parameter job: Runs to its end whatever becomes of the caller; it should not wait for another job.
    /// - Returns: False, and the job never runs, after ``shutdown()``.
    @discardableResult
    public func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        queue.append(job)
    }

    /// Runs a job on the next free thread and waits, suspended, for its result.
    ///
    /// - Parameter job: Runs to its end even if the caller is cancelled.
    /// - Returns: What the job returns.
    /// - Throws: ``ServingError/notReady(reason:)`` after ``shutdown()``.
    public func run<R: Sendable>(_ job: @escaping @Sendable () -> R) async throws(ServingError) -> R {
        let result: R? = await withCheckedContinuation { continuation in
            if !submit({ continuation.resume(returning: job()) }) { continuation.resume(returning: nil) }
        }
        guard let result else { throw .notReady(reason: "the compute threads have stopped") }
        return result
    }

    /// Takes no further job, waits until those submitted are done, and ends the threads.
    public func shutdown() async {
        queue.close()
        await withCheckedContinuation { queue.resumeWhenStopped($0) }
    }

    deinit { queue.close() }
}
