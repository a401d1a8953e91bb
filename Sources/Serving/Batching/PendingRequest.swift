import Inference
import NIOConcurrencyHelpers
import TensorCore

/// Which requests can be run together: the same model object (so the same version), asked for the same.
struct BatchKey: Hashable, Sendable {
    let model: ObjectIdentifier
    let request: OutputRequest
}

/// One caller's sequences on their way to an answer, which is given exactly once.
final class PendingRequest: Sendable {
    typealias Answer = Result<[SequenceOutput], ServingError>
    typealias Ticket = BatchQueue<BatchKey, PendingRequest>.Ticket

    private enum Phase {
        case created
        case waiting(CheckedContinuation<Answer, Never>)
        case answered
    }

    let key: BatchKey
    let batch: SequenceBatch
    /// Makes the executor or finds it made; called on compute threads only, as planning is work.
    let executor: @Sendable () -> Result<any SequenceExecutor, ServingError>
    let metrics: ModelMetrics
    let created: ContinuousClock.Instant
    private let phase = NIOLockedValueBox(Phase.created)
    private let ticketBox = NIOLockedValueBox<Ticket?>(nil)

    init(
        key: BatchKey,
        batch: SequenceBatch,
        metrics: ModelMetrics,
        executor: @escaping @Sendable () -> Result<any SequenceExecutor, ServingError>
    ) {
        self.key = key
        self.batch = batch
        self.metrics = metrics
        self.executor = executor
        created = .now
    }

    /// The place in the queue, once there is one.
    var ticket: Ticket? {
        get { ticketBox.withLockedValue { $0 } }
        set { ticketBox.withLockedValue { $0 = newValue } }
    }

    /// Whether the caller has its answer, or has gone.
    var isAnswered: Bool {
        phase.withLockedValue { if case .answered = $0 { true } else { false } }
    }

    /// Remembers whom to answer; a request that was cancelled before is answered at once.
    ///
    /// - Returns: Whether the caller waits for an answer.
    func begin(_ caller: CheckedContinuation<Answer, Never>) -> Bool {
        let waits = phase.withLockedValue { phase in
            guard case .created = phase else { return false }
            phase = .waiting(caller)
            return true
        }
        if !waits { caller.resume(returning: .failure(.cancelled)) }
        return waits
    }

    /// Answers the caller, unless it has its answer.
    func answer(_ answer: Answer) {
        let caller: CheckedContinuation<Answer, Never>? = phase.withLockedValue { phase in
            defer { phase = .answered }
            if case .waiting(let caller) = phase { return caller }
            return nil
        }
        caller?.resume(returning: answer)
    }
}
