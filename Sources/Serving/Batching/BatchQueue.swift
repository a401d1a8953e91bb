/// Requests that wait, and the decision which of their sequences are run together.
///
/// A pure value: no clock, no thread, no model. Requests with the same key can be run together; they wait in one lane.
/// - A batch holds sequences of one lane. Every request that waits there gets an equal share of the batch, and what
///   one does not need goes to the others; so a request of one sequence is in the next batch of its lane, whatever
///   bulk waits there, and a request with many sequences is run in several batches, in order.
/// - Models take turns, batch by batch, and so do the lanes of a model.
/// - Within a lane the request next in turn is never passed over: no other gets more than one share ahead of it.
/// - ``RequestPriority/bulk`` gets what ``RequestPriority/interactive`` leaves, and one batch in
///   ``bulkInterval`` first.
/// - A sequence over the budget on its own is a batch on its own.
struct BatchQueue<Key: QueueKey, Payload: Sendable>: Sendable {
    typealias Ticket = QueueTicket<Key>
    typealias Part = BatchPart<Key, Payload>

    /// What there is to run.
    enum Decision: Sendable {
        /// Parts of one lane; at least one.
        case run([Part])
        /// Nothing until this moment, unless more comes.
        case wait(until: ContinuousClock.Instant)
        /// Nothing waits.
        case nothing
    }

    /// How many batches there are for each that bulk work begins.
    static var bulkInterval: Int { 8 }

    /// How much may wait.
    let limits: QueueLimits
    /// What one batch may hold where a request says nothing else.
    let budget: BatchBudget
    /// How long a request waits for company if the batch has room left.
    let maxDelay: Duration
    /// The number of requests of which something waits.
    private(set) var count = 0
    /// The rows that wait.
    private(set) var rows = 0

    private var interactive = LaneSet<Key, Payload>()
    private var bulk = LaneSet<Key, Payload>()
    private var nextNumber: UInt64 = 0
    private var turns = 0

    init(limits: QueueLimits, budget: BatchBudget, maxDelay: Duration = .zero) {
        self.limits = limits
        self.budget = budget
        self.maxDelay = maxDelay
    }

    /// Whether no request waits.
    var isEmpty: Bool { count == 0 }

    /// Why a request of so many rows may not wait now; nil if it may.
    func fault(adding rows: Int) -> QueueLimits.Fault? {
        limits.fault(requests: count, rows: self.rows, adding: rows)
    }

    /// Puts a request at the end of its lane.
    ///
    /// - Parameters:
    ///   - payload: Handed back with each part.
    ///   - key: The lane.
    ///   - offsets: `[B + 1]` with B at least 1, see ``SequenceBatch/offsets``.
    ///   - priority: How urgent it is.
    ///   - budget: What a batch with this request may hold; nil: what the queue says.
    ///   - arrival: The moment of now.
    /// - Returns: Its ticket; nil, and nothing changes, if too much waits already.
    mutating func enqueue(
        _ payload: Payload,
        key: Key,
        offsets: [Int],
        priority: RequestPriority = .interactive,
        budget: BatchBudget? = nil,
        arrival: ContinuousClock.Instant = .now
    ) -> Ticket? {
        guard offsets.count > 1, fault(adding: offsets[offsets.count - 1]) == nil else { return nil }
        let ticket = Ticket(key: key, priority: priority, number: nextNumber)
        let request = WaitingRequest(
            ticket: ticket,
            payload: payload,
            offsets: offsets,
            budget: budget ?? self.budget,
            arrival: arrival
        )
        nextNumber &+= 1
        count += 1
        rows += request.rows
        if priority == .interactive { interactive.append(request) } else { bulk.append(request) }
        return ticket
    }

    /// Takes out what is left of a request; nil if nothing of it waits (any more).
    mutating func remove(_ ticket: Ticket) -> Payload? {
        let removed =
            ticket.priority == .interactive ? interactive.remove(ticket) : bulk.remove(ticket)
        guard let removed else { return nil }
        count -= 1
        rows -= removed.rows
        return removed.payload
    }

    /// Takes out what to run next.
    ///
    /// - Parameter now: Counts only if there is a delay.
    /// - Returns: What to run, or how long to wait.
    mutating func next(now: ContinuousClock.Instant) -> Decision {
        guard !isEmpty else { return .nothing }
        let bulkFirst = (turns % Self.bulkInterval == Self.bulkInterval - 1 && !bulk.isEmpty)
        let priority: RequestPriority = bulkFirst || interactive.isEmpty ? .bulk : .interactive
        switch choose(priority, now) {
        case .now(let key): return .run(takeBatch(key, priority))
        case .later(let moment):
            guard !interactive.isEmpty, !bulk.isEmpty else { return .wait(until: moment) }
            let other: RequestPriority = priority == .bulk ? .interactive : .bulk
            switch choose(other, now) {
            case .now(let key): return .run(takeBatch(key, other))
            case .later(let otherMoment): return .wait(until: min(moment, otherMoment))
            }
        }
    }

    /// Takes out what to run next, whatever the delay; empty if nothing waits.
    mutating func takeBatch() -> [Part] {
        guard maxDelay > .zero else {
            if case .run(let parts) = next(now: .now) { return parts }
            return []
        }
        let priority: RequestPriority = interactive.isEmpty ? .bulk : .interactive
        guard let key = lanes(priority).first else { return [] }
        return takeBatch(key, priority)
    }

    private func lanes(_ priority: RequestPriority) -> LaneSet<Key, Payload> {
        priority == .interactive ? interactive : bulk
    }

    private mutating func takeBatch(_ key: Key, _ priority: RequestPriority) -> [Part] {
        guard let first = lanes(priority)[key]?.first else { return [] }
        var batch = BatchAssembly<Key, Payload>(budget: first.budget)
        if priority == .interactive {
            interactive.fill(&batch, from: key)
            bulk.fill(&batch, from: key)
            interactive.endTurn(key)
        } else {
            bulk.fill(&batch, from: key)
            interactive.fill(&batch, from: key)
            bulk.endTurn(key)
        }
        turns &+= 1
        count -= batch.finished
        rows -= batch.load.rows
        return batch.parts
    }

    // MARK: Waiting for company

    private enum Choice {
        case now(Key)
        case later(ContinuousClock.Instant)
    }

    /// The first lane in turn that need not wait; the set must not be empty.
    private func choose(_ priority: RequestPriority, _ now: ContinuousClock.Instant) -> Choice {
        let lanes = lanes(priority)
        if maxDelay <= .zero, let first = lanes.first { return .now(first) }
        var moment = now + maxDelay
        for key in lanes.order {
            guard let lane = lanes[key], let first = lane.first else { continue }
            let end = first.arrival + maxDelay
            if first.next > 0 || end <= now || fillsBatch(lane, first.budget) { return .now(key) }
            moment = min(moment, end)
        }
        return .later(moment)
    }

    private func fillsBatch(_ lane: some Sequence<WaitingRequest<Key, Payload>>, _ budget: BatchBudget)
        -> Bool
    {
        var batch = BatchAssembly<Key, Payload>(budget: budget)
        for var request in lane {
            _ = batch.take(&request, within: nil)
            if !request.isFinished || batch.isFull { return true }
        }
        return false
    }
}
