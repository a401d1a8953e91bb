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
    /// The most requests that wait while all compute threads are busy; one more is refused.
    public var maxQueuedRequests: Int
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
    ///   - maxQueuedRequests: Brought to at least 1.
    ///   - maxSequencePositions: Brought to at least 1.
    ///   - maxInlineRun: None by default.
    public init(
        batching: Batching = .ragged,
        maxBatchRows: Int = 8192,
        maxBatchSize: Int = 256,
        maxQueuedRequests: Int = 1024,
        maxSequencePositions: Int = 100_000,
        maxInlineRun: Duration = .zero
    ) {
        self.batching = batching
        self.maxBatchRows = max(1, maxBatchRows)
        self.maxBatchSize = max(1, maxBatchSize)
        self.maxQueuedRequests = max(1, maxQueuedRequests)
        self.maxSequencePositions = max(1, maxSequencePositions)
        self.maxInlineRun = maxInlineRun
    }

    var budget: BatchBudget {
        BatchBudget(maxRows: maxBatchRows, maxSequences: maxBatchSize, padsToLongest: batching == .padded)
    }
}
