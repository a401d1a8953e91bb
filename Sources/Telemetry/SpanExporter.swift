public import Logging
public import Metrics
import NIOConcurrencyHelpers
import NIOCore

/// Sends spans to a collector, apart from the requests they tell of.
///
/// A request only appends to a queue; what does not fit is dropped and counted. ``run()`` sends what waits, in batches,
/// when there are enough for one and else now and then.
///
/// ```swift
/// let exporter = SpanExporter(options: options, transport: client, metrics: registry, logger: logger)
/// let running = Task { await exporter.run() }
/// // ... when the last request is answered:
/// running.cancel()
/// await running.value
/// await exporter.flush(within: .seconds(5))
/// ```
public final class SpanExporter: Sendable {
    /// What is sent, how much and how often.
    public struct Options: Sendable {
        /// Who sends the spans.
        public var resource: SpanResource
        /// The share of traces that are recorded, of those that begin here.
        public var sampling = SamplingRatio(1)
        /// The most spans of requests that wait.
        public var maxQueuedSpans = 2048
        /// The most spans of requests that are sent together.
        public var maxBatchSpans = 512
        /// How long a span waits for others at most.
        public var interval = Duration.seconds(5)
        /// How long the collector may take for a batch.
        public var timeout = Duration.seconds(10)
        /// When a batch is sent again.
        public var retry = RetryPolicy()

        /// The defaults.
        ///
        /// - Parameter resource: Who sends the spans.
        public init(resource: SpanResource) {
            self.resource = resource
        }
    }

    /// Why nothing happens for a while.
    enum Pause: Hashable, Sendable {
        /// Until spans are sent that are not enough for a batch.
        case interval(Duration)
        /// Until a batch is sent again.
        case retry(Duration)

        /// Sleeps.
        @Sendable static func sleep(_ pause: Pause) async throws {
            switch pause {
            case .interval(let duration), .retry(let duration): try await Task.sleep(for: duration)
            }
        }
    }

    private enum Call {
        case batchIsWhole, timeHasCome
    }

    let options: Options
    private let transport: any SpanTransport
    private let figures: ExportFigures
    private let encoder: SpanEncoder
    private let queue: SpanQueue
    private let calls: AsyncStream<Call>
    private let caller: AsyncStream<Call>.Continuation
    private let pause: @Sendable (Pause) async throws -> Void

    /// An exporter that does not send yet.
    ///
    /// - Parameters:
    ///   - options: What is sent, how much and how often.
    ///   - transport: Where to.
    ///   - metrics: Where figures go.
    ///   - logger: Hears when sending begins to fail, and when it works again.
    public convenience init(
        options: Options,
        transport: any SpanTransport,
        metrics: any MetricsFactory,
        logger: Logger
    ) {
        self.init(
            options: options,
            transport: transport,
            metrics: metrics,
            logger: logger,
            pause: Pause.sleep
        )
    }

    init(
        options: Options,
        transport: any SpanTransport,
        metrics: any MetricsFactory,
        logger: Logger,
        pause: @escaping @Sendable (Pause) async throws -> Void
    ) {
        self.options = options
        self.transport = transport
        self.pause = pause
        figures = ExportFigures(factory: metrics, logger: logger)
        encoder = SpanEncoder(resource: options.resource)
        queue = SpanQueue(limit: options.maxQueuedSpans, batch: options.maxBatchSpans)
        (calls, caller) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(2))
    }

    /// Whether a trace that begins here is recorded.
    ///
    /// - Parameter trace: Its name.
    /// - Returns: True for the share of ``Options/sampling``.
    public func samples(_ trace: TraceID) -> Bool { options.sampling.takes(trace) }

    /// Takes a span, or counts it as dropped if too many wait; never waits itself.
    ///
    /// - Parameter span: A span that has ended.
    public func offer(_ span: ServerSpan) {
        switch queue.add(span) {
        case .queued: break
        case .completedBatch: caller.yield(.batchIsWhole)
        case .refused: figures.dropped(1, .queueFull)
        }
    }

    /// Sends what is offered until the task is cancelled; what could not be sent then waits on.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { [pause, caller, interval = options.interval] in
                while (try? await pause(.interval(interval))) != nil { caller.yield(.timeHasCome) }
            }
            for await call in calls { await sendWaiting(wholeOnly: call == .batchIsWhole) }
            group.cancelAll()
        }
    }

    /// Sends what waits, once, after ``run()`` has ended.
    ///
    /// What the collector does not take then is dropped.
    ///
    /// - Parameter limit: How long it may take.
    public func flush(within limit: Duration) async {
        let end = ContinuousClock.now + limit
        while case let batch = queue.take(wholeOnly: false), !batch.isEmpty {
            let left = end - .now
            let outcome = left > .zero ? await send(batch, timeout: min(left, options.timeout)) : .failed("")
            if case .taken = outcome { continue }
            figures.dropped(batch.count + queue.removeAll(), .failed)
        }
    }

    private func sendWaiting(wholeOnly: Bool) async {
        while !Task.isCancelled {
            let batch = queue.take(wholeOnly: wholeOnly)
            guard !batch.isEmpty else { return }
            await deliver(batch)
        }
    }

    /// Sends a batch as often as is needed and allowed.
    private func deliver(_ batch: [ServerSpan]) async {
        for attempt in 1...max(1, options.retry.attempts) {
            switch await send(batch, timeout: options.timeout) {
            case .taken: return
            case .refused: return figures.dropped(batch.count, .refused)
            case .cancelled: return queue.putBack(batch)
            case .failed(_, let asked):
                let chance = Double.random(in: 0...1)
                guard let wait = options.retry.wait(after: attempt, asked: asked, chance: chance) else {
                    return figures.dropped(batch.count, .failed)
                }
                do {
                    try await pause(.retry(wait))
                } catch {
                    return queue.putBack(batch)
                }
            }
        }
    }

    private enum Outcome {
        case taken, refused, cancelled
        case failed(String, retryAfter: Duration? = nil)
    }

    private func send(_ batch: [ServerSpan], timeout: Duration) async -> Outcome {
        let outcome: Outcome
        do {
            let answer = try await transport.post(encoder.encode(batch), timeout: timeout)
            outcome = note(answer, count: batch.count)
        } catch is CancellationError {
            return .cancelled
        } catch {
            outcome = .failed("\(error)")
        }
        switch outcome {
        case .failed(let reason, _): figures.failed(reason)
        case .refused, .cancelled, .taken: break
        }
        return outcome
    }

    private func note(_ answer: CollectorAnswer, count: Int) -> Outcome {
        switch answer.status {
        case 200...299:
            let rejected = min(count, encoder.rejectedRequests(answer.body))
            figures.dropped(rejected, .refused)
            figures.exported(count - rejected)
            return .taken
        case let status where RetryPolicy.transient.contains(status):
            return .failed("status \(status)", retryAfter: answer.retryAfter)
        case let status:
            figures.failed("status \(status)")
            return .refused
        }
    }
}
