import TestSupport
import Testing

@testable import Serving

/// A lane of a model, by name.
struct LaneKey: QueueKey, ExpressibleByStringLiteral {
    let group: Character
    let name: String

    init(_ name: String) {
        self.name = name
        group = name.first ?? "-"
    }
    init(stringLiteral value: String) { self.init(value) }
}

struct BatchQueueTests {
    typealias Queue = BatchQueue<LaneKey, Int>

    private func queue(
        limit: Int = 100,
        limitRows: Int = 1 << 40,
        rows: Int = 100,
        sequences: Int = 100
    ) -> Queue {
        Queue(
            limits: QueueLimits(maxRequests: limit, maxRows: limitRows),
            budget: BatchBudget(maxRows: rows, maxSequences: sequences, padsToLongest: false)
        )
    }

    /// A request of one sequence.
    private func one(_ rows: Int) -> [Int] { [0, rows] }

    /// What is queued (lane and length, with the place in the list as payload), and the batches that come of it.
    struct Decision: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let queued: [(key: LaneKey, rows: Int)]
        let batches: [[Int]]
    }

    static let decisions: [Decision] = [
        Decision(testDescription: "nothing waits", queued: [], batches: []),
        Decision(testDescription: "one waits", queued: [("a", 3)], batches: [[0]]),
        Decision(
            testDescription: "the same model: together",
            queued: [("a", 3), ("a", 3), ("a", 4)],
            batches: [[0, 1, 2]]
        ),
        Decision(
            testDescription: "two models: never together, in turn",
            queued: [("a", 1), ("b", 1), ("a", 1), ("b", 1)],
            batches: [[0, 2], [1, 3]]
        ),
        Decision(
            testDescription: "rows over the budget wait for the next batch",
            queued: [("a", 6), ("a", 5), ("a", 5)],
            batches: [[0], [1, 2]]
        ),
        Decision(
            testDescription: "a small one does not overtake one that does not fit",
            queued: [("a", 6), ("a", 9), ("a", 1)],
            batches: [[0], [1, 2]]
        ),
        Decision(
            testDescription: "over the budget on its own: alone",
            queued: [("a", 50), ("a", 1)],
            batches: [[0], [1]]
        ),
        Decision(
            testDescription: "at most four sequences",
            queued: Array(repeating: ("a", 1), count: 6),
            batches: [[0, 1, 2, 3], [4, 5]]
        ),
        Decision(
            testDescription: "what is left of a lane comes after another model",
            queued: [("a", 9), ("b", 1), ("a", 9)],
            batches: [[0], [1], [2]]
        ),
        Decision(
            testDescription: "the lanes of one model share its turns",
            queued: [("a1", 9), ("a1", 9), ("a2", 9), ("b", 9), ("b", 9)],
            batches: [[0], [3], [2], [4], [1]]
        ),
    ]

    @Test(arguments: decisions)
    func `a batch is the request in turn and those that fit with it`(decision: Decision) {
        var queue = queue(rows: 10, sequences: 4)
        for (index, request) in decision.queued.enumerated() {
            #expect(queue.enqueue(index, key: request.key, offsets: one(request.rows)) != nil)
        }
        var batches: [[Int]] = []
        while case let batch = queue.takeBatch(), !batch.isEmpty { batches.append(batch.map(\.payload)) }
        #expect(batches == decision.batches)
        #expect(queue.isEmpty && queue.rows == 0)
    }

    @Test func `requests that wait together share a batch, and what one does not need is the others'`() {
        var queue = queue(rows: 100, sequences: 10)
        #expect(queue.enqueue(0, key: "a", offsets: Array(0...50)) != nil)
        #expect(queue.enqueue(1, key: "a", offsets: [0, 1, 2]) != nil)
        #expect(queue.enqueue(2, key: "a", offsets: Array(0...50)) != nil)
        let first = queue.takeBatch()
        #expect(first.map(\.payload) == [0, 1, 2])
        #expect(first.map(\.range) == [0..<3, 0..<2, 0..<5])
        let second = queue.takeBatch()
        #expect(second.map(\.payload) == [0, 2])
        #expect(second.map(\.range) == [3..<8, 5..<10])
        #expect(queue.count == 2 && queue.rows == 82)
    }

    @Test func `a full queue refuses and stays as it is`() {
        var queue = queue(limit: 2)
        let first = queue.enqueue(0, key: "a", offsets: one(1))
        #expect(queue.enqueue(1, key: "b", offsets: one(1)) != nil)
        #expect(queue.enqueue(2, key: "a", offsets: one(1)) == nil)
        #expect(queue.fault(adding: 1) == .requests(waiting: 2))
        #expect(queue.count == 2)
        #expect(first.flatMap { queue.remove($0) } == 0)
        #expect(queue.enqueue(3, key: "a", offsets: one(1)) != nil)
        #expect(queue.takeBatch().map(\.payload) == [1])
        #expect(queue.takeBatch().map(\.payload) == [3])
    }

    @Test func `rows over the limit are refused unless nothing waits`() {
        var queue = queue(limitRows: 10)
        #expect(queue.enqueue(0, key: "a", offsets: one(50)) != nil)
        #expect(queue.fault(adding: 1) == .rows(waiting: 50))
        #expect(queue.fault(adding: .max) == .rows(waiting: 50))
        _ = queue.takeBatch()
        #expect(queue.enqueue(1, key: "a", offsets: one(6)) != nil)
        #expect(queue.enqueue(2, key: "a", offsets: one(5)) == nil)
        #expect(queue.enqueue(3, key: "a", offsets: one(4)) != nil)
    }

    @Test func `a request leaves once, by removal or in batches`() throws {
        var queue = queue(sequences: 3)
        let tickets = [
            queue.enqueue(0, key: "a", offsets: one(1)),
            queue.enqueue(1, key: "a", offsets: one(1)),
            queue.enqueue(2, key: "a", offsets: Array(0...9), priority: .bulk),
        ]
        let removed = try #require(tickets[0])
        let taken = try #require(tickets[1])
        let halfTaken = try #require(tickets[2])
        #expect(queue.remove(removed) == 0)
        #expect(queue.remove(removed) == nil)
        #expect(queue.takeBatch().map(\.range) == [0..<1, 0..<2])
        #expect(queue.remove(taken) == nil)
        #expect(queue.rows == 7)
        #expect(queue.remove(halfTaken) == 2)
        #expect(queue.isEmpty && queue.rows == 0)
    }

    // MARK: Laws

    /// One request as a history remembers it.
    private struct Waiting {
        let key: LaneKey
        let offsets: [Int]
        let priority: RequestPriority
        let ticket: Queue.Ticket
        var next = 0

        var rows: Int { (offsets.last ?? 0) - offsets[next] }
    }

    @Test(arguments: 0..<60)
    func `whatever happens, every sequence comes once, in order, within the budget`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let budget = BatchBudget(
            maxRows: .random(in: 1...30, using: &random),
            maxSequences: .random(in: 1...8, using: &random),
            padsToLongest: .random(using: &random)
        )
        let limits = QueueLimits(
            maxRequests: .random(in: 1...20, using: &random),
            maxRows: .random(in: 1...400, using: &random)
        )
        var queue = Queue(limits: limits, budget: budget)
        var waiting: [Int: Waiting] = [:]
        for number in 0..<600 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let key = LaneKey(["a", "a2", "b", "c"].randomElement(using: &random) ?? "a")
                var offsets = [0]
                for _ in 0..<Int.random(in: 1...12, using: &random) {
                    offsets.append(offsets[offsets.count - 1] + .random(in: 1...9, using: &random))
                }
                let priority = RequestPriority.allCases.randomElement(using: &random) ?? .bulk
                let rows = waiting.values.reduce(0) { $0 + $1.rows }
                let fits =
                    waiting.count < limits.maxRequests
                    && (waiting.isEmpty || rows + (offsets.last ?? 0) <= limits.maxRows)
                let ticket = queue.enqueue(number, key: key, offsets: offsets, priority: priority)
                #expect((ticket != nil) == fits)
                if let ticket {
                    waiting[number] = Waiting(key: key, offsets: offsets, priority: priority, ticket: ticket)
                }
            case 5:
                guard let (number, request) = waiting.min(by: { $0.key < $1.key }) else { continue }
                #expect(queue.remove(request.ticket) == number)
                waiting[number] = nil
            default:
                let batch = queue.takeBatch()
                #expect(batch.isEmpty == waiting.isEmpty)
                #expect(Set(batch.map(\.ticket.key)).count <= 1)
                #expect(Set(batch.map(\.payload)).count == batch.count)
                var load = BatchLoad.none
                for part in batch {
                    var request = try #require(waiting[part.payload])
                    #expect(part.range.lowerBound == request.next && !part.range.isEmpty)
                    for index in part.range {
                        let length = request.offsets[index + 1] - request.offsets[index]
                        load = load + BatchLoad(sequences: 1, rows: length, longest: length)
                    }
                    request.next = part.range.upperBound
                    waiting[part.payload] = request.next == request.offsets.count - 1 ? nil : request
                }
                #expect(budget.admits(load) || load.sequences <= 1)
            }
            #expect(queue.count == waiting.count)
            #expect(queue.rows == waiting.values.reduce(0) { $0 + $1.rows })
        }
    }

    @Test(arguments: 0..<40)
    func `of no other request of its lane more than one budget goes ahead of a newcomer`(seed: UInt64) throws
    {
        var random = SplitMix(seed: seed)
        let budget = BatchBudget(
            maxRows: .random(in: 10...60, using: &random),
            maxSequences: .random(in: 1...12, using: &random),
            padsToLongest: false
        )
        var queue = Queue(limits: QueueLimits(maxRequests: 100, maxRows: 1 << 40), budget: budget)
        for number in 0..<Int.random(in: 1...20, using: &random) {
            let length = Int.random(in: 1...10, using: &random)
            let offsets = (0...500).map { $0 * length }
            #expect(queue.enqueue(number, key: "a", offsets: offsets) != nil)
        }
        for _ in 0..<Int.random(in: 0...30, using: &random) { _ = queue.takeBatch() }
        let length = Int.random(in: 1...10, using: &random)
        #expect(queue.enqueue(-1, key: "a", offsets: one(length)) != nil)
        var ahead: [Int: Int] = [:]
        while case let batch = queue.takeBatch(), !batch.contains(where: { $0.payload == -1 }) {
            #expect(!batch.isEmpty)
            for part in batch { ahead[part.payload, default: 0] += part.range.count }
        }
        #expect(ahead.values.allSatisfy { $0 <= budget.maxSequences })
    }

    @Test func `ten thousand sequences of one request do not hold up a single one`() throws {
        var queue = queue(rows: 16384, sequences: 256)
        #expect(queue.enqueue(0, key: "a", offsets: (0...10_000).map { $0 * 20 }) != nil)
        for newcomer in 1...50 {
            #expect(queue.enqueue(newcomer, key: "a", offsets: one(20)) != nil)
            let batch = queue.takeBatch()
            #expect(batch.contains { $0.payload == newcomer })
            // The room that newcomers leave is not lost.
            #expect(batch.reduce(0) { $0 + $1.range.count } == 256 || queue.isEmpty)
        }
    }

    @Test func `a model with much to do takes turns with one that has little`() {
        var queue = queue(sequences: 4)
        #expect(queue.enqueue(0, key: "a", offsets: Array(0...1000)) != nil)
        #expect(queue.enqueue(1, key: "a2", offsets: Array(0...1000)) != nil)
        var order: [LaneKey] = []
        for number in 2..<10 {
            #expect(queue.enqueue(number, key: "b", offsets: one(1)) != nil)
            order += (0..<2).compactMap { _ in queue.takeBatch().first?.ticket.key }
        }
        #expect(order.count { $0 == "b" } == 8)
        #expect(order.count { $0 == "a" } == 4 && order.count { $0 == "a2" } == 4)
    }

    @Test func `bulk work gets what is left, and one batch in eight`() {
        var queue = queue(sequences: 4)
        #expect(queue.enqueue(0, key: "b", offsets: Array(0...1000), priority: .bulk) != nil)
        var bulkTurns = 0
        for number in 1...80 {
            #expect(queue.enqueue(number, key: "a", offsets: Array(0...4)) != nil)
            if queue.takeBatch().first?.payload == 0 { bulkTurns += 1 }
        }
        #expect(bulkTurns == 10)
        var mixed = self.queue(sequences: 4)
        #expect(mixed.enqueue(0, key: "a", offsets: Array(0...9), priority: .bulk) != nil)
        #expect(mixed.enqueue(1, key: "a", offsets: one(1)) != nil)
        #expect(mixed.takeBatch().map(\.payload) == [1, 0])
    }

    // MARK: Delay

    @Test func `with a delay a request waits for company until its time or a full batch`() throws {
        let start = ContinuousClock.now
        var queue = Queue(
            limits: QueueLimits(maxRequests: 100, maxRows: 100),
            budget: BatchBudget(maxRows: 100, maxSequences: 2, padsToLongest: false),
            maxDelay: .seconds(5)
        )
        func decision(_ seconds: Int) -> [Int] {
            switch queue.next(now: start + .seconds(seconds)) {
            case .run(let parts): parts.map(\.payload)
            case .wait(let moment): [-Int((moment - start) / .seconds(1))]
            case .nothing: []
            }
        }
        #expect(decision(0) == [])
        #expect(queue.enqueue(1, key: "a", offsets: one(1), arrival: start) != nil)
        #expect(decision(1) == [-5])
        #expect(
            queue.enqueue(2, key: "b", offsets: one(1), priority: .bulk, arrival: start + .seconds(1)) != nil
        )
        #expect(decision(2) == [-5])
        #expect(
            queue.enqueue(3, key: "b", offsets: one(1), priority: .bulk, arrival: start + .seconds(2)) != nil
        )
        #expect(decision(2) == [2, 3])
        #expect(decision(5) == [1])
        #expect(decision(6) == [])
        #expect(queue.enqueue(4, key: "a", offsets: Array(0...3), arrival: start + .seconds(6)) != nil)
        #expect(decision(6) == [4])
        #expect(decision(6) == [4], "what is left of a request that was begun does not wait again")
    }
}
