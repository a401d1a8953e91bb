import NIOConcurrencyHelpers
import NIOCore

/// Runs a request's task on its connection's event loop, so that a short one wakes no other thread.
///
/// A job must be short: the loop moves no bytes meanwhile. Once the connection is gone, and the loop with it
/// maybe, what is left of the task runs on Swift's cooperative pool.
final class EventLoopTaskExecutor: TaskExecutor {
    private let eventLoop: any EventLoop
    private let isOpen: NIOLockedValueBox<Bool>

    /// An executor for one request.
    ///
    /// - Parameters:
    ///   - eventLoop: The connection's loop.
    ///   - isOpen: Set to false by the connection, on its loop, when it is gone.
    init(_ eventLoop: any EventLoop, isOpen: NIOLockedValueBox<Bool>) {
        self.eventLoop = eventLoop
        self.isOpen = isOpen
    }

    /// Appends a job to the loop's queue.
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isOnItsWay = isOpen.withLockedValue { isOpen in
            if isOpen { eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) } }
            return isOpen
        }
        if !isOnItsWay { globalConcurrentExecutor.enqueue(job) }
    }
}
