import DequeModule
import Foundation

/// Jobs in order of arrival, and the threads that wait for them.
///
/// Invariant that makes it `Sendable`: every stored `var` is read and written only between `condition.lock()`
/// and `condition.unlock()`. Jobs and continuations are called only after the unlock.
final class JobQueue: @unchecked Sendable {
    typealias Job = @Sendable () -> Void

    private let condition = NSCondition()
    private var jobs: Deque<Job> = []
    private var isClosed = false
    private var runningThreads: Int
    private var stopWaiters: [CheckedContinuation<Void, Never>] = []

    init(threads: Int) {
        runningThreads = threads
    }

    /// Appends a job; false, and nothing happens, once the queue is closed.
    func append(_ job: @escaping Job) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard !isClosed else { return false }
        jobs.append(job)
        condition.signal()
        return true
    }

    /// Blocks the calling thread until there is a job; nil once the queue is closed and empty.
    func next() -> Job? {
        condition.lock()
        defer { condition.unlock() }
        while jobs.isEmpty && !isClosed { condition.wait() }
        return jobs.popFirst()
    }

    /// Refuses further jobs; those in the queue are still handed out.
    func close() {
        condition.lock()
        defer { condition.unlock() }
        isClosed = true
        condition.broadcast()
    }

    /// Notes that a thread takes no further job.
    func threadDidStop() {
        condition.lock()
        runningThreads -= 1
        let waiters = runningThreads == 0 ? stopWaiters : []
        if runningThreads == 0 { stopWaiters = [] }
        condition.unlock()
        for waiter in waiters { waiter.resume() }
    }

    /// Resumes the continuation when no thread takes jobs any more.
    func resumeWhenStopped(_ waiter: CheckedContinuation<Void, Never>) {
        condition.lock()
        let isStopped = runningThreads == 0
        if !isStopped { stopWaiters.append(waiter) }
        condition.unlock()
        if isStopped { waiter.resume() }
    }
}
