import Inference
import Metrics
import NIOConcurrencyHelpers

/// Runs requests on compute threads, those together that wait at the same time.
///
/// A batch is formed at the moment a thread is free to run it, never before, so nothing waits while a thread
/// is idle. Callers wait suspended; one that is cancelled leaves the queue at once, and in a running batch its
/// part of the answer is dropped.
final class BatchScheduler: Sendable {
    private struct State {
        var queue: BatchQueue<BatchKey, PendingRequest>
        /// Jobs in the pool that will look into the queue; at most one a thread.
        var workers = 0
    }

    private let pool: ComputePool
    private let batchRun: BatchRun
    private let state: NIOLockedValueBox<State>
    private let queueDepth: Gauge

    init(pool: ComputePool, options: BatchOptions, queueDepth: Gauge) {
        self.pool = pool
        self.queueDepth = queueDepth
        batchRun = BatchRun(budget: options.budget)
        state = NIOLockedValueBox(
            State(queue: BatchQueue(limit: options.maxQueuedRequests, budget: options.budget))
        )
    }

    /// The number of requests that wait for a compute thread.
    var queuedRequests: Int { state.withLockedValue { $0.queue.count } }

    /// Queues a request and waits for its answer.
    ///
    /// - Parameter request: Not queued before.
    /// - Returns: The outputs of the request's sequences.
    /// - Throws: ``ServingError/overloaded(queuedRequests:)``, ``ServingError/cancelled``,
    ///   ``ServingError/notReady(reason:)`` if the pool has stopped, or what running the request throws.
    func run(_ request: PendingRequest) async throws(ServingError) -> [SequenceOutput] {
        let answer: PendingRequest.Answer = await withTaskCancellationHandler {
            await withCheckedContinuation { caller in
                if request.begin(caller) { enqueue(request) }
            }
        } onCancel: {
            cancel(request)
        }
        return try answer.get()
    }

    private enum Admission {
        case queued
        case queuedForNewWorker
        case refused(waiting: Int)
    }

    private func enqueue(_ request: PendingRequest) {
        let load = BatchLoad(request.batch)
        let admission: Admission = state.withLockedValue { state in
            // A request cancelled by now finds no ticket to remove, so it must not get one.
            guard !request.isAnswered else { return .queued }
            guard let ticket = state.queue.enqueue(request, key: request.key, load: load) else {
                return .refused(waiting: state.queue.count)
            }
            request.ticket = ticket
            queueDepth.record(state.queue.count)
            guard state.workers < pool.threadCount else { return .queued }
            state.workers += 1
            return .queuedForNewWorker
        }
        switch admission {
        case .queued: break
        case .queuedForNewWorker: if !pool.submit(runNextBatch) { refuseQueued() }
        case .refused(let waiting): request.answer(.failure(.overloaded(queuedRequests: waiting)))
        }
    }

    private func cancel(_ request: PendingRequest) {
        request.answer(.failure(.cancelled))
        state.withLockedValue { state in
            guard let ticket = request.ticket, state.queue.remove(ticket) != nil else { return }
            queueDepth.record(state.queue.count)
        }
    }

    /// One worker's turn: takes a batch, runs it, and lines up for the next turn behind the pool's other jobs.
    @Sendable
    private func runNextBatch() {
        var hasMore = true
        repeat {
            let batch = state.withLockedValue { state in
                let batch = state.queue.takeBatch()
                queueDepth.record(state.queue.count)
                return batch.map(\.payload).filter { !$0.isAnswered }
            }
            if !batch.isEmpty { batchRun.answer(batch) }
            hasMore = state.withLockedValue { state in
                if state.queue.isEmpty { state.workers -= 1 }
                return !state.queue.isEmpty
            }
            // A pool that is stopping takes no new job, but what was queued before is still answered.
        } while hasMore && !pool.submit(runNextBatch)
    }

    /// The pool has stopped: without a worker left, nobody would answer those who wait.
    private func refuseQueued() {
        let refused = state.withLockedValue { state in
            state.workers -= 1
            guard state.workers == 0 else { return [PendingRequest]() }
            var refused: [PendingRequest] = []
            while !state.queue.isEmpty { refused += state.queue.takeBatch().map(\.payload) }
            queueDepth.record(0)
            return refused
        }
        for request in refused {
            request.answer(.failure(.notReady(reason: "the compute threads have stopped")))
        }
    }
}
