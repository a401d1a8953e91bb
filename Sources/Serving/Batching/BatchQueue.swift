import DequeModule

/// Requests that wait, and the decision which of them are run together.
///
/// A pure value: no clock, no thread, no model. Requests with the same key can be run together; each key has a
/// lane in order of arrival. A batch is the front of the lane whose first request is the oldest of all, as far
/// as the budget goes, so no request is ever overtaken by a later one of the same key, and the oldest request
/// is always in the next batch. A request over the budget on its own is a batch on its own.
struct BatchQueue<Key: Hashable & Sendable, Payload: Sendable>: Sendable {
    /// Names one waiting request.
    struct Ticket: Hashable, Sendable {
        let key: Key
        let number: UInt64
    }

    /// One waiting request.
    struct Entry: Sendable {
        let ticket: Ticket
        let load: BatchLoad
        let payload: Payload
    }

    /// The most requests that wait.
    let limit: Int
    /// What one batch may hold.
    let budget: BatchBudget
    /// The number of requests that wait.
    private(set) var count = 0

    private var lanes: [Key: Deque<Entry>] = [:]
    private var nextNumber: UInt64 = 0

    init(limit: Int, budget: BatchBudget) {
        self.limit = limit
        self.budget = budget
    }

    /// Whether no request waits.
    var isEmpty: Bool { count == 0 }

    /// Puts a request at the end of its lane; nil, and nothing changes, if ``limit`` requests wait already.
    mutating func enqueue(_ payload: Payload, key: Key, load: BatchLoad) -> Ticket? {
        guard count < limit else { return nil }
        let ticket = Ticket(key: key, number: nextNumber)
        nextNumber &+= 1
        count += 1
        lanes[key, default: []].append(Entry(ticket: ticket, load: load, payload: payload))
        return ticket
    }

    /// Takes a request out; nil if it does not wait (any more).
    mutating func remove(_ ticket: Ticket) -> Payload? {
        guard let lane = lanes[ticket.key], let index = Self.index(of: ticket, in: lane) else { return nil }
        count -= 1
        guard lane.count > 1 else {
            lanes[ticket.key] = nil
            return lane[index].payload
        }
        return lanes[ticket.key]?.remove(at: index).payload
    }

    /// Takes out the requests to run next, in order of arrival; empty if none waits.
    mutating func takeBatch() -> [Entry] {
        guard let key = nextLane(), var lane = lanes.removeValue(forKey: key) else { return [] }
        var batch: [Entry] = []
        var load = BatchLoad.none
        while let entry = lane.first, batch.isEmpty || budget.admits(load + entry.load) {
            load = load + entry.load
            batch.append(lane.removeFirst())
        }
        if !lane.isEmpty { lanes[key] = lane }
        count -= batch.count
        return batch
    }

    /// The lane to serve next.
    ///
    /// Fairness between keys is decided here and nowhere else: oldest request first.
    private func nextLane() -> Key? {
        lanes.min { ($0.value.first?.ticket.number ?? .max) < ($1.value.first?.ticket.number ?? .max) }?.key
    }

    /// Binary search: numbers rise along a lane.
    private static func index(of ticket: Ticket, in lane: Deque<Entry>) -> Int? {
        var low = 0
        var high = lane.count
        while low < high {
            let middle = low + (high - low) / 2
            if lane[middle].ticket.number < ticket.number { low = middle + 1 } else { high = middle }
        }
        return low < lane.count && lane[low].ticket == ticket ? low : nil
    }
}
