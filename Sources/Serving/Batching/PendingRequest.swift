import Inference
import NIOConcurrencyHelpers
import TensorCore

/// Which requests can be run together: the same model object (so the same version), asked for the same.
struct BatchKey: QueueKey {
    let model: ObjectIdentifier
    let request: OutputRequest

    var group: ObjectIdentifier { model }
}

/// One caller's sequences on their way to an answer, which is given exactly once.
///
/// Batches give the outputs of some sequences each; when all are there they are put together.
final class PendingRequest: Sendable {
    typealias Answer = Result<InferenceAnswer, ServingError>
    typealias Ticket = QueueTicket<BatchKey>

    private enum Phase {
        case created
        case waiting(CheckedContinuation<Answer, Never>)
        case answered
    }

    private struct Part {
        var range: Range<Int>
        var outputs: [SequenceOutput]
    }

    private struct State {
        var phase = Phase.created
        var ticket: Ticket?
        var hasStarted = false
        var parts: [Part] = []
        var faults: [SequenceFault] = []
        var course: RunCourse
        /// Sequences without outputs or fault.
        var missing: Int
    }

    let key: BatchKey
    let batch: SequenceBatch
    let handling: RequestHandling
    /// Makes the executor or finds it made; called on compute threads only, as planning is work.
    let executor: @Sendable () -> Result<any SequenceExecutor, ServingError>
    let metrics: ModelMetrics
    let created: ContinuousClock.Instant
    private let state: NIOLockedValueBox<State>

    init(
        key: BatchKey,
        batch: SequenceBatch,
        handling: RequestHandling = RequestHandling(),
        metrics: ModelMetrics,
        executor: @escaping @Sendable () -> Result<any SequenceExecutor, ServingError>
    ) {
        self.key = key
        self.batch = batch
        self.handling = handling
        self.metrics = metrics
        self.executor = executor
        created = .now
        state = NIOLockedValueBox(State(course: RunCourse(rows: batch.rowCount), missing: batch.count))
    }

    /// The place in the queue, once there is one.
    var ticket: Ticket? {
        get { state.withLockedValue { $0.ticket } }
        set { state.withLockedValue { $0.ticket = newValue } }
    }

    /// Whether the caller has its answer, or has gone.
    var isAnswered: Bool {
        state.withLockedValue { if case .answered = $0.phase { true } else { false } }
    }

    /// Whether an answer would come too late.
    func isExpired(at now: ContinuousClock.Instant) -> Bool {
        handling.deadline.map { $0 <= now } ?? false
    }

    /// Remembers whom to answer; a request that was cancelled before is answered at once.
    ///
    /// - Returns: Whether the caller waits for an answer.
    func begin(_ caller: CheckedContinuation<Answer, Never>) -> Bool {
        let waits = state.withLockedValue { state in
            guard case .created = state.phase else { return false }
            state.phase = .waiting(caller)
            return true
        }
        if !waits { caller.resume(returning: .failure(.cancelled)) }
        return waits
    }

    /// Notes that some of the sequences are about to be run; the first time counts.
    func start(at now: ContinuousClock.Instant) {
        let isFirst = state.withLockedValue { state in
            guard !state.hasStarted else { return false }
            state.hasStarted = true
            state.course.queued = now - created
            return true
        }
        if isFirst { metrics.queueSeconds.record(duration: now - created) }
    }

    /// The sequences of one part; no element moves.
    func sequences(_ range: Range<Int>) -> SequenceBatch {
        range == 0..<batch.count ? batch : batch.slice(range)
    }

    /// Takes the outputs of some sequences, and answers if they are the last ones.
    func take(_ outputs: [SequenceOutput], of range: Range<Int>, _ run: BatchRun.Note) {
        finish { state in
            state.parts.append(Part(range: range, outputs: outputs))
            state.course.add(run)
            state.missing -= range.count
        }
    }

    /// Takes that one sequence has no answer.
    func take(_ error: ServingError, of index: Int) {
        finish { state in
            state.faults.append(SequenceFault(index: index, error: error))
            state.missing -= 1
        }
    }

    private func finish(_ change: (inout State) -> Void) {
        let finished: State? = state.withLockedValue { state in
            guard case .waiting = state.phase else { return nil }
            change(&state)
            return state.missing <= 0 ? state : nil
        }
        guard let finished else { return }
        let parts = finished.parts.sorted { $0.range.lowerBound < $1.range.lowerBound }
        do throws(ServingError) {
            answer(
                .success(
                    InferenceAnswer(
                        outputs: try BatchOutputs.join(parts.map(\.outputs)),
                        faults: finished.faults.sorted { $0.index < $1.index },
                        course: finished.course
                    )
                )
            )
        } catch {
            answer(.failure(error))
        }
    }

    /// Answers the caller, unless it has its answer.
    func answer(_ answer: Answer) {
        let caller: CheckedContinuation<Answer, Never>? = state.withLockedValue { state in
            defer {
                state.phase = .answered
                state.parts = []
            }
            if case .waiting(let caller) = state.phase { return caller }
            return nil
        }
        caller?.resume(returning: answer)
    }
}
