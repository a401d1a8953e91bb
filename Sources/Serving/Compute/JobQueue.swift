import DequeModule
internal import Dispatch
import NIOConcurrencyHelpers

/// Jobs in order of arrival, and the threads that wait for them.
///
/// The semaphore counts a signal for each job and, once the queue is closed, one for each thread: so a thread that was let
/// through and finds no job knows that there will be none. Jobs and continuations are called without the lock.
final class JobQueue: Sendable {
    typealias Job = @Sendable () -> Void

    private struct State: Sendable {
        var jobs: Deque<Job> = []
        var isClosed = false
        var runningThreads: Int
        var stopWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state: NIOLockedValueBox<State>
    private let signals = DispatchSemaphore(value: 0)
    private let threads: Int

    init(threads: Int) {
        self.threads = threads
        state = NIOLockedValueBox(State(runningThreads: threads))
    }

    /// Appends a job; false, and nothing happens, once the queue is closed.
    func append(_ job: @escaping Job) -> Bool {
        let isTaken = state.withLockedValue { state in
            if !state.isClosed { state.jobs.append(job) }
            return !state.isClosed
        }
        if isTaken { signals.signal() }
        return isTaken
    }

    /// Blocks the calling thread until there is a job; nil once the queue is closed and empty.
    func next() -> Job? {
        signals.wait()
        return state.withLockedValue { $0.jobs.popFirst() }
    }

    /// Refuses further jobs; those in the queue are still handed out.
    func close() {
        let wasOpen = state.withLockedValue { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if wasOpen { for _ in 0..<threads { signals.signal() } }
    }

    /// Notes that a thread takes no further job.
    func threadDidStop() {
        let waiters = state.withLockedValue { state in
            state.runningThreads -= 1
            guard state.runningThreads == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.stopWaiters = [] }
            return state.stopWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Resumes the continuation when no thread takes jobs any more.
    func resumeWhenStopped(_ waiter: CheckedContinuation<Void, Never>) {
        let isStopped = state.withLockedValue { state in
            if state.runningThreads > 0 { state.stopWaiters.append(waiter) }
            return state.runningThreads == 0
        }
        if isStopped { waiter.resume() }
    }
}
