import DequeModule

/// The waiting requests of one priority: a ring of models, in each a ring of lanes, in each a ring of requests.
///
/// Requests of one lane can be run together. Whoever had its turn goes to the end of its ring.
struct LaneSet<Key: QueueKey, Payload: Sendable>: Sendable {
    typealias Request = WaitingRequest<Key, Payload>

    private var lanes: [Key: Deque<Request>] = [:]
    private var keys: [Key.Group: Deque<Key>] = [:]
    private var groups: Deque<Key.Group> = []

    var isEmpty: Bool { groups.isEmpty }

    mutating func append(_ request: Request) {
        let key = request.ticket.key
        if lanes[key] == nil {
            if keys[key.group] == nil { groups.append(key.group) }
            keys[key.group, default: []].append(key)
        }
        lanes[key, default: []].append(request)
    }

    /// Takes a request out; nil if it is not here.
    mutating func remove(_ ticket: QueueTicket<Key>) -> Request? {
        guard let index = lanes[ticket.key]?.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        let request = lanes[ticket.key]?.remove(at: index)
        if lanes[ticket.key]?.isEmpty == true { drop(ticket.key) }
        return request
    }

    /// The lanes in the order of their turns; those of one model come together.
    var order: some Sequence<Key> { groups.lazy.flatMap { keys[$0] ?? [] } }

    /// The lane whose turn it is.
    var first: Key? { groups.first.flatMap { keys[$0]?.first } }

    /// The waiting requests of a lane, the next one first.
    subscript(key: Key) -> Deque<Request>? { lanes[key] }

    /// Ends the turn of a lane and of its model.
    mutating func endTurn(_ key: Key) {
        if let index = groups.firstIndex(of: key.group) { groups.append(groups.remove(at: index)) }
        guard var ring = keys[key.group], ring.count > 1, let index = ring.firstIndex(of: key) else { return }
        ring.append(ring.remove(at: index))
        keys[key.group] = ring
    }

    /// Puts sequences of a lane into a batch: of each request an equal share, then of each all that has room.
    ///
    /// The request that has no room is the next one; those that were given some and have more go behind the others.
    mutating func fill(_ batch: inout BatchAssembly<Key, Payload>, from key: Key) {
        guard lanes[key] != nil, var lane = lanes.updateValue([], forKey: key) else { return }
        var served: [(request: Request, part: Int)] = []
        while !batch.isFull, var request = lane.first {
            guard let part = batch.take(&request, within: batch.share(of: lane.count)) else { break }
            lane.removeFirst()
            if !request.isFinished { served.append((request, part)) }
        }
        for index in served.indices where !batch.isFull {
            batch.take(&served[index].request, within: nil, part: served[index].part)
        }
        lane.append(contentsOf: served.lazy.map(\.request).filter { !$0.isFinished })
        if lane.isEmpty { drop(key) } else { lanes[key] = lane }
    }

    private mutating func drop(_ key: Key) {
        lanes[key] = nil
        keys[key.group]?.removeAll { $0 == key }
        guard keys[key.group]?.isEmpty == true else { return }
        keys[key.group] = nil
        groups.removeAll { $0 == key.group }
    }
}
