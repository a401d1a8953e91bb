/// Which requests may be run together, and whose turn they share.
protocol QueueKey: Hashable, Sendable {
    /// What turns are fair between: a model.
    associatedtype Group: Hashable, Sendable
    /// The model.
    var group: Group { get }
}

/// Names one waiting request.
struct QueueTicket<Key: QueueKey>: Hashable, Sendable {
    let key: Key
    let priority: RequestPriority
    let number: UInt64
}

/// A request in the queue, and how much of it has been taken.
struct WaitingRequest<Key: QueueKey, Payload: Sendable>: Sendable {
    let ticket: QueueTicket<Key>
    let payload: Payload
    /// `[B + 1]`, see ``SequenceBatch/offsets``.
    let offsets: [Int]
    /// What one batch with this request may hold.
    let budget: BatchBudget
    let arrival: ContinuousClock.Instant
    /// The first sequence that has not been taken.
    var next = 0

    var isFinished: Bool { next >= offsets.count - 1 }
    /// The rows that have not been taken.
    var rows: Int { (offsets.last ?? 0) - offsets[next] }

    /// The next sequence as work.
    var nextLoad: BatchLoad {
        let length = offsets[next + 1] - offsets[next]
        return BatchLoad(sequences: 1, rows: length, longest: length)
    }
}

/// Some sequences of one request that are run in one batch.
struct BatchPart<Key: QueueKey, Payload: Sendable>: Sendable {
    let ticket: QueueTicket<Key>
    let payload: Payload
    /// The sequences, by their place in the request.
    var range: Range<Int>
}
