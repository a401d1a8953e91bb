import Testing

@testable import Serving

struct BatchQueueTests {
    typealias Queue = BatchQueue<String, Int>

    private func queue(limit: Int = 100, rows: Int = 100, sequences: Int = 100) -> Queue {
        Queue(
            limit: limit,
            budget: BatchBudget(maxRows: rows, maxSequences: sequences, padsToLongest: false)
        )
    }

    private func load(_ rows: Int, sequences: Int = 1) -> BatchLoad {
        BatchLoad(sequences: sequences, rows: rows, longest: rows)
    }

    /// What is queued (key and rows, with the place in the list as payload), and the batches that come of it.
    struct Decision: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let queued: [(key: String, rows: Int)]
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
            testDescription: "two models: never together, oldest first",
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
            testDescription: "what is left of a lane comes after an older one",
            queued: [("a", 9), ("b", 1), ("a", 9)],
            batches: [[0], [1], [2]]
        ),
    ]

    @Test(arguments: decisions)
    func `a batch is the oldest request and those that fit with it`(decision: Decision) {
        var queue = queue(rows: 10, sequences: 4)
        for (index, request) in decision.queued.enumerated() {
            #expect(queue.enqueue(index, key: request.key, load: load(request.rows)) != nil)
        }
        var batches: [[Int]] = []
        while case let batch = queue.takeBatch(), !batch.isEmpty { batches.append(batch.map(\.payload)) }
        #expect(batches == decision.batches)
        #expect(queue.isEmpty)
    }

    @Test func `a full queue refuses and stays as it is`() {
        var queue = queue(limit: 2)
        let first = queue.enqueue(0, key: "a", load: load(1))
        #expect(queue.enqueue(1, key: "b", load: load(1)) != nil)
        #expect(queue.enqueue(2, key: "a", load: load(1)) == nil)
        #expect(queue.count == 2)
        #expect(first.flatMap { queue.remove($0) } == 0)
        #expect(queue.enqueue(3, key: "a", load: load(1)) != nil)
        #expect(queue.takeBatch().map(\.payload) == [1])
        #expect(queue.takeBatch().map(\.payload) == [3])
    }

    @Test func `a request leaves once, by removal or in a batch`() throws {
        var queue = queue()
        let tickets = (0..<2).map { queue.enqueue($0, key: "a", load: load(1)) }
        let removed = try #require(tickets[0])
        let taken = try #require(tickets[1])
        #expect(queue.remove(removed) == 0)
        #expect(queue.remove(removed) == nil)
        #expect(queue.takeBatch().map(\.payload) == [1])
        #expect(queue.remove(taken) == nil)
        #expect(queue.isEmpty)
    }

    /// The same decisions over a plain list, read from the queue's description.
    private struct Oracle {
        var waiting: [(number: Int, key: String, load: BatchLoad)] = []
        let limit: Int
        let budget: BatchBudget

        mutating func takeBatch() -> [Int] {
            guard let oldest = waiting.first else { return [] }
            var batch: [Int] = []
            var total = BatchLoad.none
            for entry in waiting where entry.key == oldest.key {
                guard batch.isEmpty || budget.admits(total + entry.load) else { break }
                total = total + entry.load
                batch.append(entry.number)
            }
            waiting.removeAll { batch.contains($0.number) }
            return batch
        }
    }

    @Test(arguments: 0..<40)
    func `any history gives what a plain list gives`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let budget = BatchBudget(
            maxRows: .random(in: 1...30, using: &random),
            maxSequences: .random(in: 1...8, using: &random),
            padsToLongest: .random(using: &random)
        )
        let limit = Int.random(in: 1...20, using: &random)
        var queue = Queue(limit: limit, budget: budget)
        var oracle = Oracle(limit: limit, budget: budget)
        var tickets: [Int: Queue.Ticket] = [:]
        for number in 0..<600 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                let key = ["a", "b", "c"].randomElement(using: &random) ?? "a"
                let sequences = Int.random(in: 1...4, using: &random)
                let longest = Int.random(in: 1...9, using: &random)
                let load = BatchLoad(
                    sequences: sequences,
                    rows: .random(in: longest...longest * sequences, using: &random),
                    longest: longest
                )
                let ticket = queue.enqueue(number, key: key, load: load)
                #expect((ticket != nil) == (oracle.waiting.count < limit))
                if ticket != nil { oracle.waiting.append((number, key, load)) }
                tickets[number] = ticket
            case 6..<8:
                guard let (number, ticket) = tickets.min(by: { $0.key < $1.key }) else { continue }
                let expected = oracle.waiting.contains { $0.number == number } ? number : nil
                #expect(queue.remove(ticket) == expected)
                oracle.waiting.removeAll { $0.number == number }
                tickets[number] = nil
            default:
                #expect(queue.takeBatch().map(\.payload) == oracle.takeBatch())
            }
            #expect(queue.count == oracle.waiting.count)
        }
    }
}
