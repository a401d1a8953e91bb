import Dispatch
import Inference
import Metrics
import NIOConcurrencyHelpers

/// Runs requests on compute threads, those together that wait at the same time.
///
/// A batch is formed at the moment a thread is free to run it, never before, so nothing waits while a thread
/// is idle, unless it is told to wait for company. Callers wait suspended; one that is cancelled leaves the queue at
/// once, and in a running batch its part of the answer is dropped.
final class BatchScheduler: Sendable {
    private struct State {
        var queue: BatchQueue<BatchKey, PendingRequest>
        /// Turns that will look into the queue: jobs of the pool, and ``sleeping`` ones; at most one a thread.
        var workers = 0
        /// Turns that wait for a moment, with at least as many timers on their way.
        var sleeping = 0
        /// Who has to be answered by when, in the queue or out of it.
        var deadlines = DeadlineTable<ObjectIdentifier, PendingRequest>()
        /// The moment of the next timer that looks at ``deadlines``; nil: there is none.
        var alarm: ContinuousClock.Instant?
        var drainRate = DrainRate()
    }

    private let pool: ComputePool
    private let options: BatchOptions
    private let batchRun: BatchRun
    private let state: NIOLockedValueBox<State>
    private let queueDepth: Gauge

    init(pool: ComputePool, options: BatchOptions, queueDepth: Gauge) {
        self.pool = pool
        self.options = options
        self.queueDepth = queueDepth
        batchRun = BatchRun(budget: options.budget)
        state = NIOLockedValueBox(
            State(
                queue: BatchQueue(
                    limits: options.queueLimits,
                    budget: options.budget,
                    maxDelay: options.maxQueueDelay
                )
            )
        )
    }

    /// The number of requests that wait for a compute thread.
    var queuedRequests: Int { state.withLockedValue { $0.queue.count } }
    /// The positions that wait for a compute thread.
    var queuedRows: Int { state.withLockedValue { $0.queue.rows } }

    /// Queues a request and waits for its answer.
    ///
    /// - Parameter request: Not queued before.
    /// - Returns: The outputs of the request's sequences.
    /// - Throws: ``ServingError/overloaded(queuedRequests:retrySeconds:)``,
    ///   ``ServingError/tooManyRowsQueued(rows:retrySeconds:)``,
    ///   ``ServingError/deadlineExceeded``, ``ServingError/cancelled``, ``ServingError/notReady(reason:)`` if the
    ///   pool has stopped, or what running the request throws.
    func run(_ request: PendingRequest) async throws(ServingError) -> InferenceAnswer {
        let answer: PendingRequest.Answer = await withTaskCancellationHandler {
            await withCheckedContinuation { caller in
                if request.begin(caller) { enqueue(request) }
            }
        } onCancel: {
            leave(request, .cancelled)
        }
        if request.handling.deadline != nil {
            state.withLockedValue { $0.deadlines.remove(ObjectIdentifier(request)) }
        }
        return try answer.get()
    }

    private enum Admission {
        case expired
        case queued
        case queuedForNewWorker
        case refused(QueueLimits.Fault, retrySeconds: Int)
    }

    private func enqueue(_ request: PendingRequest) {
        let budget = options.budget(for: request.metrics.runTimes)
        let admission: Admission = state.withLockedValue { state in
            // A request cancelled by now finds no ticket to remove, so it must not get one.
            guard !request.isAnswered else { return .queued }
            if request.isExpired(at: .now) { return .expired }
            if let fault = state.queue.fault(adding: request.batch.rowCount) {
                let seconds = state.drainRate.secondsToRun(
                    rows: state.queue.rows,
                    threads: pool.threadCount
                )
                return .refused(fault, retrySeconds: seconds)
            }
            request.ticket = state.queue.enqueue(
                request,
                key: request.key,
                offsets: request.batch.offsets,
                priority: request.handling.priority,
                budget: budget
            )
            queueDepth.record(state.queue.count)
            watch(request, &state)
            if state.workers < pool.threadCount {
                state.workers += 1
                return .queuedForNewWorker
            }
            guard state.sleeping > 0 else { return .queued }
            // What one waits for may have come: it looks, and sleeps again if not.
            state.sleeping -= 1
            return .queuedForNewWorker
        }
        switch admission {
        case .expired: request.answer(.failure(.deadlineExceeded))
        case .queued: break
        case .queuedForNewWorker: submitWorker()
        case .refused(.requests(let waiting), let seconds):
            request.answer(.failure(.overloaded(queuedRequests: waiting, retrySeconds: seconds)))
        case .refused(.rows(let waiting), let seconds):
            request.answer(.failure(.tooManyRowsQueued(rows: waiting, retrySeconds: seconds)))
        }
    }

    /// Answers a request that is not to be run any more, and takes what is left of it out of the queue.
    private func leave(_ request: PendingRequest, _ error: ServingError) {
        request.answer(.failure(error))
        state.withLockedValue { state in
            guard let ticket = request.ticket, state.queue.remove(ticket) != nil else { return }
            queueDepth.record(state.queue.count)
        }
    }

    private func submitWorker() {
        if !pool.submit(runNextBatch) { refuseQueued() }
    }

    private enum Turn {
        case run([BatchRun.Part], expired: [PendingRequest], wakesAnother: Bool)
        case sleep(until: ContinuousClock.Instant)
        case end
    }

    /// One worker's turn: takes a batch, runs it, and lines up for the next turn behind the pool's other jobs.
    @Sendable
    private func runNextBatch() {
        while true {
            var ran: (rows: Int, time: Duration)?
            switch nextTurn() {
            case .end: return
            case .sleep(let moment): return wake(at: moment)
            case .run(let parts, let expired, let wakesAnother):
                // One request may be enough for all threads.
                if wakesAnother { submitWorker() }
                for request in expired { leave(request, .deadlineExceeded) }
                if !parts.isEmpty { ran = run(parts) }
            }
            let hasMore = state.withLockedValue { state in
                if let ran { state.drainRate.record(rows: ran.rows, in: ran.time) }
                if state.queue.isEmpty { state.workers -= 1 }
                return !state.queue.isEmpty
            }
            // A pool that is stopping takes no new job, but what was queued before is still answered.
            if !hasMore || pool.submit(runNextBatch) { return }
        }
    }

    private func run(_ parts: [BatchRun.Part]) -> (rows: Int, time: Duration) {
        let start = ContinuousClock.now
        let rows = parts.reduce(0) { rows, part in
            let offsets = part.payload.batch.offsets
            return rows + offsets[part.range.upperBound] - offsets[part.range.lowerBound]
        }
        batchRun.answer(parts)
        return (rows, .now - start)
    }

    private func nextTurn() -> Turn {
        state.withLockedValue { state in
            let now = ContinuousClock.now
            switch state.queue.next(now: now) {
            case .nothing:
                state.workers -= 1
                return .end
            case .wait(let moment):
                state.sleeping += 1
                return .sleep(until: moment)
            case .run(let parts):
                queueDepth.record(state.queue.count)
                let wakesAnother = !state.queue.isEmpty && state.workers < pool.threadCount
                if wakesAnother { state.workers += 1 }
                let expired = parts.map(\.payload).filter { $0.isExpired(at: now) }
                let wanted = parts.filter { !$0.payload.isExpired(at: now) && !$0.payload.isAnswered }
                return .run(wanted, expired: expired, wakesAnother: wakesAnother)
            }
        }
    }

    private func wake(at moment: ContinuousClock.Instant) {
        Self.later(at: moment) { [weak self] in
            guard let self else { return }
            let isStillAsleep = state.withLockedValue { state in
                guard state.sleeping > 0 else { return false }
                state.sleeping -= 1
                return true
            }
            if isStillAsleep { submitWorker() }
        }
    }

    private static func later(at moment: ContinuousClock.Instant, _ job: @escaping @Sendable () -> Void) {
        let nanoseconds = max(0, (moment - .now) / .nanoseconds(1))
        DispatchQueue.global().asyncAfter(deadline: .now() + nanoseconds / 1e9, execute: job)
    }

    // MARK: Deadlines

    /// Sees to it that a request is answered when its time is up, wherever it is then.
    private func watch(_ request: PendingRequest, _ state: inout State) {
        guard let deadline = request.handling.deadline else { return }
        state.deadlines.insert(request, id: ObjectIdentifier(request), deadline: deadline)
        setAlarm(&state)
    }

    private func setAlarm(_ state: inout State) {
        guard let earliest = state.deadlines.earliest, state.alarm.map({ earliest < $0 }) ?? true else {
            return
        }
        state.alarm = earliest
        Self.later(at: earliest) { [weak self] in self?.ring(earliest) }
    }

    private func ring(_ moment: ContinuousClock.Instant) {
        let expired = state.withLockedValue { state in
            if state.alarm == moment { state.alarm = nil }
            defer { setAlarm(&state) }
            return state.deadlines.expire(now: .now)
        }
        for request in expired { leave(request, .deadlineExceeded) }
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
