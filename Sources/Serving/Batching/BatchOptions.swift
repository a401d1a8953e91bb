public import Inference

/// How requests are checked, queued and run together.
public struct BatchOptions: Hashable, Sendable {
    /// Whether batches are run without padding or padded to the longest sequence.
    public var batching: Batching
    /// The most rows one run gets, at least 1; with padding, padded rows count.
    ///
    /// A longer sequence runs alone.
    public var maxBatchRows: Int
    /// The most sequences one run gets, at least 1.
    public var maxBatchSize: Int
    /// How long a run should take at most, as far as is known of a model's runs; nil: only ``maxBatchRows`` counts.
    ///
    /// Runs so short that a newcomer never waits long for a thread, and long enough that their own cost is small.
    public var targetRun: Duration?
    /// The most requests that wait while all compute threads are busy; one more is refused.
    public var maxQueuedRequests: Int
    /// The most positions of all requests that wait; a request that finds no other waiting may have more.
    public var maxQueuedRows: Int
    /// How long a request waits for company while a compute thread is idle, if its batch has room left.
    public var maxQueueDelay: Duration
    /// The most positions of one sequence.
    public var maxSequencePositions: Int
    /// Runs expected to take no longer are done on the caller's own thread, sooner than a compute thread is
    /// woken for them and the caller for the answer; zero: none.
    public var maxInlineRun: Duration

    /// How requests are checked, queued and run together, each with its default.
    ///
    /// - Parameters:
    ///   - batching: Without padding by default.
    ///   - maxBatchRows: Brought to at least 1.
    ///   - maxBatchSize: Brought to at least 1.
    ///   - targetRun: None by default.
    ///   - maxQueuedRequests: Brought to at least 1.
    ///   - maxQueuedRows: Brought to at least 1.
    ///   - maxQueueDelay: None by default.
    ///   - maxSequencePositions: Brought to at least 1.
    ///   - maxInlineRun: None by default.
    public init(
        batching: Batching = .ragged,
        maxBatchRows: Int = 8192,
        maxBatchSize: Int = 256,
        targetRun: Duration? = nil,
        maxQueuedRequests: Int = 1024,
        maxQueuedRows: Int = 1 << 20,
        maxQueueDelay: Duration = .zero,
        maxSequencePositions: Int = 100_000,
        maxInlineRun: Duration = .zero
    ) {
        self.batching = batching
        self.maxBatchRows = max(1, maxBatchRows)
        self.maxBatchSize = max(1, maxBatchSize)
        self.targetRun = targetRun
        self.maxQueuedRequests = max(1, maxQueuedRequests)
        self.maxQueuedRows = max(1, maxQueuedRows)
        self.maxQueueDelay = max(.zero, maxQueueDelay)
        self.maxSequencePositions = max(1, maxSequencePositions)
        self.maxInlineRun = maxInlineRun
    }

    /// The fewest rows that a target for the time of a run may leave of a batch.
    static let fewestRows = 256

    var budget: BatchBudget {
        BatchBudget(maxRows: maxBatchRows, maxSequences: maxBatchSize, padsToLongest: batching == .padded)
    }

    var queueLimits: QueueLimits { QueueLimits(maxRequests: maxQueuedRequests, maxRows: maxQueuedRows) }

    /// What a batch of one model may hold.
    func budget(for runTimes: RunTimes) -> BatchBudget {
        guard let targetRun, let rows = runTimes.rows(within: targetRun / .nanoseconds(1)) else {
            return budget
        }
        return BatchBudget(
            maxRows: min(maxBatchRows, max(Self.fewestRows, rows)),
            maxSequences: maxBatchSize,
            padsToLongest: batching == .padded
        )
    }
}
