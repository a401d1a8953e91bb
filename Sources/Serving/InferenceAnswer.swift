public import Inference

/// What a model says of the sequences of one request, and how it came to that.
public struct InferenceAnswer: Sendable {
    /// The outputs, with one part for each sequence that has an answer, in order; empty if none has.
    public var outputs: [SequenceOutput]
    /// The sequences without an answer, in order; none unless ``RequestHandling/isolatesFaults``.
    public var faults: [SequenceFault]
    /// How it was run.
    public var course: RunCourse

    /// An answer.
    ///
    /// - Parameters:
    ///   - outputs: Of the sequences that have an answer.
    ///   - faults: Of the others, in order.
    ///   - course: How it was run.
    public init(outputs: [SequenceOutput], faults: [SequenceFault] = [], course: RunCourse = RunCourse()) {
        self.outputs = outputs
        self.faults = faults
        self.course = course
    }
}

/// Why one sequence of a request has no answer.
public struct SequenceFault: Error, Hashable, Sendable {
    /// The place of the sequence in the request, from 0.
    public var index: Int
    /// Why; for a rule of the signature ``ServingError/invalidInput(index:reason:)`` with the same index.
    public var error: ServingError

    /// A fault.
    ///
    /// - Parameters:
    ///   - index: From 0.
    ///   - error: Why.
    public init(index: Int, error: ServingError) {
        self.index = index
        self.error = error
    }
}

/// How a request was run.
public struct RunCourse: Hashable, Sendable {
    /// From when the request was queued to the start of its first run; zero if it was run at once.
    public var queued: Duration
    /// The time of all runs that had sequences of the request.
    public var computed: Duration
    /// The positions of the request.
    public var rows: Int
    /// The positions of all runs that had sequences of the request, those of other requests among them.
    public var batchRows: Int
    /// The number of these runs.
    public var batches: Int

    /// The course of a run.
    ///
    /// - Parameters:
    ///   - queued: The time in the queue.
    ///   - computed: The time of the runs.
    ///   - rows: The positions of the request.
    ///   - batchRows: The positions of the runs.
    ///   - batches: The number of runs.
    public init(
        queued: Duration = .zero,
        computed: Duration = .zero,
        rows: Int = 0,
        batchRows: Int = 0,
        batches: Int = 0
    ) {
        self.queued = queued
        self.computed = computed
        self.rows = rows
        self.batchRows = batchRows
        self.batches = batches
    }

    /// Adds one run.
    mutating func add(_ run: BatchRun.Note) {
        computed += run.seconds
        batchRows += run.rows
        batches += 1
    }
}
