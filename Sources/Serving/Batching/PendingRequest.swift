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
    typealias Answer = Result<[SequenceOutput], ServingError>
    typealias Ticket = QueueTicket<BatchKey>

    private enum Phase {
        case created
        case waiting(CheckedContinuation<Answer, Never>)
        case answered
    }

    private struct State {
        var phase = Phase.created
        var ticket: Ticket?
        var hasStarted = false
        var parts: [(range: Range<Int>, outputs: [SequenceOutput])] = []
        var missing: Int
    }

    let key: BatchKey
    let batch: SequenceBatch
    let priority: RequestPriority
    /// Makes the executor or finds it made; called on compute threads only, as planning is work.
    let executor: @Sendable () -> Result<any SequenceExecutor, ServingError>
    let metrics: ModelMetrics
    let created: ContinuousClock.Instant
    private let state: NIOLockedValueBox<State>

    init(
        key: BatchKey,
        batch: SequenceBatch,
        priority: RequestPriority = .interactive,
        metrics: ModelMetrics,
        executor: @escaping @Sendable () -> Result<any SequenceExecutor, ServingError>
    ) {
        self.key = key
        self.batch = batch
        self.priority = priority
        self.metrics = metrics
        self.executor = executor
        created = .now
        state = NIOLockedValueBox(State(missing: batch.count))
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

    /// Notes that some of the sequences are about to be run.
    ///
    /// - Returns: Whether they are the first.
    func start() -> Bool {
        state.withLockedValue { state in
            defer { state.hasStarted = true }
            return !state.hasStarted
        }
    }

    /// The sequences of one part; no element moves.
    func sequences(_ range: Range<Int>) -> SequenceBatch {
        range == 0..<batch.count ? batch : batch.slice(range)
    }

    /// Takes the outputs of some sequences, and answers if they are the last ones.
    func take(_ outputs: [SequenceOutput], of range: Range<Int>) {
        let parts: [(range: Range<Int>, outputs: [SequenceOutput])]? = state.withLockedValue { state in
            guard case .waiting = state.phase else { return nil }
            state.parts.append((range, outputs))
            state.missing -= range.count
            guard state.missing <= 0 else { return nil }
            defer { state.parts = [] }
            return state.parts
        }
        guard let parts else { return }
        let ordered = parts.sorted { $0.range.lowerBound < $1.range.lowerBound }
        do throws(ServingError) {
            answer(.success(try BatchOutputs.join(ordered.map(\.outputs))))
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
