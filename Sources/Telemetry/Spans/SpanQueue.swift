import DequeModule
import NIOConcurrencyHelpers

/// Spans that wait to be sent; never more than a bound.
struct SpanQueue: Sendable {
    /// What has become of a span.
    enum Admission: Hashable, Sendable {
        /// It waits.
        case queued
        /// It waits, and there are enough for a batch now.
        case completedBatch
        /// The queue is full.
        case refused
    }

    private let spans = NIOLockedValueBox(Deque<ServerSpan>())
    private let limit: Int
    private let batch: Int

    /// An empty queue.
    ///
    /// - Parameters:
    ///   - limit: The most spans that wait.
    ///   - batch: How many are sent together at most.
    init(limit: Int, batch: Int) {
        self.limit = limit
        self.batch = max(1, min(batch, limit))
    }

    /// Adds a span, unless the queue is full; in constant time.
    func add(_ span: ServerSpan) -> Admission {
        spans.withLockedValue { spans in
            guard spans.count < limit else { return .refused }
            spans.append(span)
            return spans.count.isMultiple(of: batch) ? .completedBatch : .queued
        }
    }

    /// Takes the oldest spans, at most a batch of them; none if there are none, or fewer than a batch and only
    /// whole ones are wanted.
    func take(wholeOnly: Bool) -> [ServerSpan] {
        spans.withLockedValue { spans in
            guard !wholeOnly || spans.count >= batch else { return [] }
            let taken = Array(spans.prefix(batch))
            spans.removeFirst(taken.count)
            return taken
        }
    }

    /// Puts spans back that could not be sent yet, before all others.
    func putBack(_ taken: [ServerSpan]) {
        spans.withLockedValue { $0.insert(contentsOf: taken, at: 0) }
    }

    /// Takes all there is.
    func removeAll() -> Int {
        spans.withLockedValue { spans in
            defer { spans.removeAll() }
            return spans.count
        }
    }
}
