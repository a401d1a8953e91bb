/// A batch that is being put together.
struct BatchAssembly<Key: QueueKey, Payload: Sendable> {
    typealias Request = WaitingRequest<Key, Payload>

    private let budget: BatchBudget
    private(set) var parts: [BatchPart<Key, Payload>] = []
    /// The requests that nothing is left of.
    private(set) var finished = 0
    private(set) var load = BatchLoad.none

    init(budget: BatchBudget) {
        self.budget = budget
    }

    /// Whether not even a sequence of one position has room.
    var isFull: Bool { !budget.admits(load + BatchLoad(sequences: 1, rows: 1, longest: 1)) }

    /// An equal share of what is left, for each of `count` requests.
    func share(of count: Int) -> BatchLoad {
        let rows = (budget.maxRows - load.rows) / max(1, count)
        return BatchLoad(
            sequences: max(1, (budget.maxSequences - load.sequences) / max(1, count)),
            rows: max(1, rows),
            longest: .max
        )
    }

    /// Takes sequences of a request: at least one if the batch has room for it, and more within a share.
    ///
    /// - Parameters:
    ///   - request: Not finished; its cursor moves.
    ///   - share: nil: all the room there is.
    ///   - part: The request's part of this batch, if it has one.
    /// - Returns: The request's part; nil if there is no room.
    @discardableResult
    mutating func take(_ request: inout Request, within share: BatchLoad?, part: Int? = nil) -> Int? {
        let start = request.next
        var own = BatchLoad.none
        while !request.isFinished {
            let sequence = request.nextLoad
            guard load == .none || budget.admits(load + sequence) else { break }
            let wanted = own + sequence
            if let share, own.sequences > 0,
                wanted.sequences > share.sequences || wanted.rows > share.rows
            {
                break
            }
            own = wanted
            load = load + sequence
            request.next += 1
        }
        guard request.next > start else { return part }
        if request.isFinished { finished += 1 }
        if let part {
            parts[part].range = parts[part].range.lowerBound..<request.next
            return part
        }
        parts.append(
            BatchPart(ticket: request.ticket, payload: request.payload, range: start..<request.next)
        )
        return parts.count - 1
    }
}
