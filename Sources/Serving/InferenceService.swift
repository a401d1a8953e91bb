public import Inference
public import Metrics
import NIOConcurrencyHelpers
public import TensorCore

/// Answers requests: checks them, runs those together that wait together, and gives each caller its own part.
///
/// A run that is known to be short is done on the caller's thread, see ``BatchOptions/maxInlineRun``.
/// The answer for a sequence does not depend on the others it was run with.
///
/// ```swift
/// let service = InferenceService(repository: repository, pool: pool)
/// let model = try repository.model(named: "vowels-cnn")
/// let outputs = try await service.infer(model, .outputs(["predictions"]), batch)
/// ```
public final class InferenceService: Sendable {
    /// The models.
    public let repository: ModelRepository
    /// How requests are checked, queued and run together.
    public let options: BatchOptions
    private let scheduler: BatchScheduler
    private let inlineRun: InlineRun
    private let isDraining = NIOLockedValueBox(false)

    /// Connects models and threads.
    ///
    /// - Parameters:
    ///   - repository: The models.
    ///   - pool: The threads that compute.
    ///   - options: How requests are checked, queued and run together.
    ///   - metrics: Where figures go.
    public init(
        repository: ModelRepository,
        pool: ComputePool,
        options: BatchOptions = BatchOptions(),
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        self.repository = repository
        self.options = options
        inlineRun = InlineRun(options)
        scheduler = BatchScheduler(
            pool: pool,
            options: options,
            queueDepth: .queueDepth(factory: metrics)
        )
    }

    /// The number of requests that wait for a compute thread.
    public var queuedRequests: Int { scheduler.queuedRequests }

    /// The positions that wait for a compute thread.
    public var queuedRows: Int { scheduler.queuedRows }

    /// Ready once every model is, until ``beginDraining()``.
    public var readiness: Readiness {
        isDraining.withLockedValue { $0 } ? .notReady(reason: "the server is stopping") : repository.readiness
    }

    /// Makes ``readiness`` say no from now on; requests are still answered.
    public func beginDraining() {
        isDraining.withLockedValue { $0 = true }
    }

    /// The outputs of a model for some sequences.
    ///
    /// - Parameters:
    ///   - model: From the repository.
    ///   - request: What is asked for; named outputs come in the order of the names, and none named
    ///     means the model's predictions.
    ///   - batch: At least one sequence.
    ///   - handling: How urgent it is, and what becomes of it if something is wrong.
    /// - Returns: The outputs, with one part for each sequence, in order.
    /// - Throws: ``ServingError/invalidInput(index:reason:)``,
    ///   ``ServingError/outputNotFound(name:available:)``, ``ServingError/layerNotFound(name:available:)``,
    ///   ``ServingError/layerInsideLoop(name:available:)``,
    ///   ``ServingError/overloaded(queuedRequests:retrySeconds:)``,
    ///   ``ServingError/tooManyRowsQueued(rows:retrySeconds:)``,
    ///   ``ServingError/invalidSequences(_:)``, ``ServingError/deadlineExceeded``, ``ServingError/cancelled``, ``ServingError/executionFailed(reason:)``, or ``ServingError/notReady(reason:)`` once the compute
    ///   threads have stopped.
    public func infer(
        _ model: ServedModel,
        _ request: OutputRequest,
        _ batch: SequenceBatch,
        _ handling: RequestHandling = RequestHandling()
    ) async throws(ServingError) -> [SequenceOutput] {
        switch try start(model, request, batch, handling) {
        case .finished(let answer): answer.outputs
        case .waiting(let answer): try await answer().outputs
        }
    }

    /// What ``start(_:_:_:_:)`` has come to.
    public enum Progress: Sendable {
        /// The answer: the run was short.
        case finished(InferenceAnswer)
        /// What queues the sequences and waits for their answer.
        case waiting(@Sendable () async throws(ServingError) -> InferenceAnswer)
    }

    /// Checks some sequences, and runs them at once if that is known to be short.
    ///
    /// - Parameters:
    ///   - model: From the repository.
    ///   - request: What is asked for, as for ``infer(_:_:_:_:)``.
    ///   - batch: At least one sequence.
    ///   - handling: How urgent it is, and what becomes of it if something is wrong.
    /// - Returns: The answer, or what waits for it; that throws what ``infer(_:_:_:_:)`` does.
    /// - Throws: What ``infer(_:_:_:_:)`` throws of sequences and names, and
    ///   ``ServingError/executionFailed(reason:)``.
    public func start(
        _ model: ServedModel,
        _ request: OutputRequest,
        _ batch: SequenceBatch,
        _ handling: RequestHandling = RequestHandling()
    ) throws(ServingError) -> Progress {
        let sequenceModel = model.sequenceModel
        let selection = try OutputSelection(request, of: sequenceModel)
        let check = SignatureCheck(
            signature: sequenceModel.signature,
            maxPositions: options.maxSequencePositions,
            lengthLimit: model.lengthLimit
        )
        do throws(ServingError) {
            try check.check(batch)
        } catch {
            return try startRest(model, selection, batch, handling, check, first: error)
        }
        return try startChecked(model, selection, batch, handling)
    }

    /// Some sequence breaks a rule: refuses all with what is wrong with each, or starts the others.
    private func startRest(
        _ model: ServedModel,
        _ selection: OutputSelection,
        _ batch: SequenceBatch,
        _ handling: RequestHandling,
        _ check: SignatureCheck,
        first: ServingError
    ) throws(ServingError) -> Progress {
        guard case .invalidInput(.some, _) = first else { throw first }
        let faults = check.faults(batch)
        guard handling.isolatesFaults else { throw faults.count > 1 ? .invalidSequences(faults) : first }
        guard let rest = batch.leavingOut(faults.map(\.index)) else {
            return .finished(InferenceAnswer(outputs: [], faults: faults))
        }
        switch try startChecked(model, selection, rest, handling) {
        case .finished(let answer): return .finished(answer.joined(with: faults, count: batch.count))
        case .waiting(let answer):
            let count = batch.count
            return .waiting { () async throws(ServingError) in
                try await answer().joined(with: faults, count: count)
            }
        }
    }

    private func startChecked(
        _ model: ServedModel,
        _ selection: OutputSelection,
        _ batch: SequenceBatch,
        _ handling: RequestHandling
    ) throws(ServingError) -> Progress {
        let sequenceModel = model.sequenceModel
        if let executor = inlineRun.executor(for: selection.request, of: model, batch) {
            do throws(ServingError) {
                var answer = try inlineRun.run(batch, on: executor, model.metrics)
                answer.outputs = selection.inCallersOrder(answer.outputs)
                return .finished(answer)
            } catch {
                // On a compute thread the sequences are told apart.
                guard handling.isolatesFaults else { throw error }
            }
        }
        let batching = options.batching
        let pending = PendingRequest(
            key: BatchKey(model: ObjectIdentifier(sequenceModel), request: selection.request),
            batch: batch,
            handling: handling,
            metrics: model.metrics
        ) {
            sequenceModel.plannedExecutor(for: selection.request, batching: batching)
        }
        return .waiting { [scheduler] () async throws(ServingError) in
            var answer = try await scheduler.run(pending)
            answer.outputs = selection.inCallersOrder(answer.outputs)
            return answer
        }
    }
}

extension InferenceAnswer {
    /// The answer of all sequences of a request, of which some were left out of the run.
    ///
    /// - Parameters:
    ///   - left: The faults of those left out, in order.
    ///   - count: The number of all sequences.
    /// - Returns: The same outputs, and all faults by their places in the request.
    fileprivate func joined(with left: [SequenceFault], count: Int) -> InferenceAnswer {
        let out = Set(left.map(\.index))
        let ran = (0..<count).filter { !out.contains($0) }
        var answer = self
        answer.faults = faults.map { SequenceFault(index: ran[$0.index], error: $0.error) } + left
        answer.faults.sort { $0.index < $1.index }
        return answer
    }
}
