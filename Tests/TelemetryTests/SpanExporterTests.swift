import Logging
import NIOConcurrencyHelpers
import Testing

@testable import Telemetry

@Suite(.timeLimit(.minutes(10))) struct SpanExporterTests {
    /// An exporter whose pauses do what a test says.
    private func exporter(
        _ collector: Collector,
        _ figures: Figures,
        limit: Int = 100,
        batch: Int = 10,
        attempts: Int = 3,
        pause: @escaping @Sendable (SpanExporter.Pause) async throws -> Void = Self.neverInTime
    ) -> SpanExporter {
        var options = SpanExporter.Options(resource: SpanResource(serviceName: "s", serviceVersion: "1"))
        options.maxQueuedSpans = limit
        options.maxBatchSpans = batch
        options.retry = RetryPolicy(attempts: attempts)
        return SpanExporter(
            options: options,
            transport: collector,
            metrics: figures,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            pause: pause
        )
    }

    /// Time never comes; failures are tried again at once.
    @Sendable private static func neverInTime(_ pause: SpanExporter.Pause) async throws {
        guard case .interval = pause else { return }
        try await forever()
    }

    private static func forever() async throws {
        let (stream, source) = AsyncStream.makeStream(of: Void.self)
        for await _ in stream {}
        source.finish()
        throw CancellationError()
    }

    @Test func `as many as make a batch are sent at once, the others with the flush`() async throws {
        let (collector, figures) = (Collector(), Figures())
        let exporter = exporter(collector, figures)
        let running = Task { await exporter.run() }
        var arrivals = collector.arrivals.makeAsyncIterator()
        for number in 1...10 { exporter.offer(.sample(UInt64(number))) }
        await arrivals.next()
        for number in 11...14 { exporter.offer(.sample(UInt64(number))) }
        running.cancel()
        await running.value
        #expect(try collector.counts == [10])
        await exporter.flush(within: .seconds(30))
        #expect(try collector.counts == [10, 4])
        #expect(try collector.requests == Array(1...14))
        #expect(figures.exported == 14)
    }

    @Test func `what is fewer than a batch is sent when its time has come`() async throws {
        let (collector, figures) = (Collector(), Figures())
        let (ticks, tick) = AsyncStream.makeStream(of: Void.self)
        let exporter = exporter(collector, figures) { pause in
            guard case .interval = pause else { return }
            for await _ in ticks { return }
            throw CancellationError()
        }
        exporter.offer(.sample(7))
        let running = Task { await exporter.run() }
        tick.yield()
        for await _ in collector.arrivals { break }
        running.cancel()
        await running.value
        #expect(try collector.requests == [7])
    }

    @Test func `what does not fit is dropped and counted, and the first ones are kept`() async throws {
        let (collector, figures) = (Collector(), Figures())
        let exporter = exporter(collector, figures, limit: 5, batch: 10)
        for number in 1...8 { exporter.offer(.sample(UInt64(number))) }
        #expect(figures.dropped("queue_full") == 3)
        await exporter.flush(within: .seconds(30))
        #expect(try collector.requests == [1, 2, 3, 4, 5])
    }

    @Test(arguments: [429, 502, 503, 504])
    func `a batch is sent again, after ever longer waits`(status: Int) async throws {
        let (collector, figures) = (Collector(statuses: [status, status]), Figures())
        let waits = NIOLockedValueBox<[Duration]>([])
        let exporter = exporter(collector, figures) { pause in
            guard case .retry(let wait) = pause else { return try await Self.forever() }
            waits.withLockedValue { $0.append(wait) }
        }
        let running = Task { await exporter.run() }
        for number in 1...10 { exporter.offer(.sample(UInt64(number))) }
        var arrivals = collector.arrivals.makeAsyncIterator()
        for _ in 1...3 { await arrivals.next() }
        running.cancel()
        await running.value
        #expect(try collector.counts == [10, 10, 10])
        let told = waits.withLockedValue { $0 }
        #expect(told.count == 2)
        #expect(told[0] >= .milliseconds(500) && told[0] <= .seconds(1))
        #expect(told[1] >= .seconds(1) && told[1] <= .seconds(2))
    }

    @Test func `a collector that says when to come back is believed, up to a bound`() async throws {
        let late: @Sendable (Int64) -> Collector.Behaviour = { seconds in
            { CollectorAnswer(status: 503, retryAfter: .seconds(seconds)) }
        }
        let (collector, figures) = (Collector([late(7), late(1_000_000)]), Figures())
        let waits = NIOLockedValueBox<[Duration]>([])
        let exporter = exporter(collector, figures) { pause in
            guard case .retry(let wait) = pause else { return try await Self.forever() }
            waits.withLockedValue { $0.append(wait) }
        }
        let running = Task { await exporter.run() }
        for number in 1...10 { exporter.offer(.sample(UInt64(number))) }
        var arrivals = collector.arrivals.makeAsyncIterator()
        for _ in 1...3 { await arrivals.next() }
        running.cancel()
        await running.value
        #expect(waits.withLockedValue { $0 } == [.seconds(7), .seconds(60)])
    }

    @Test func `a batch that is not taken in the end is dropped and counted, and the next one is sent`()
        async throws
    {
        let fault: Collector.Behaviour = { throw CollectorFault.unreachable(reason: "connection refused") }
        let (collector, figures) = (Collector([fault, fault, fault]), Figures())
        let exporter = exporter(collector, figures)
        let running = Task { await exporter.run() }
        var arrivals = collector.arrivals.makeAsyncIterator()
        for number in 1...10 { exporter.offer(.sample(UInt64(number))) }
        for _ in 1...3 { await arrivals.next() }
        for number in 11...20 { exporter.offer(.sample(UInt64(number))) }
        await arrivals.next()
        running.cancel()
        await running.value
        #expect(figures.dropped("failed") == 10)
        #expect(try collector.requests.suffix(10) == Array(11...20))
    }

    @Test(arguments: [400, 401, 404, 413, 500, 301])
    func `what the collector does not want is not sent again`(status: Int) async throws {
        let (collector, figures) = (Collector(statuses: [status]), Figures())
        let exporter = exporter(collector, figures)
        let running = Task { await exporter.run() }
        var arrivals = collector.arrivals.makeAsyncIterator()
        for number in 1...20 { exporter.offer(.sample(UInt64(number))) }
        for _ in 1...2 { await arrivals.next() }
        running.cancel()
        await running.value
        #expect(try collector.counts == [10, 10])
        #expect(figures.dropped("refused") == 10)
    }

    @Test func `what is being tried when the exporter stops is sent with the flush`() async throws {
        let (collector, figures) = (Collector(statuses: [503]), Figures())
        let (waiting, wait) = AsyncStream.makeStream(of: Void.self)
        let exporter = exporter(collector, figures) { _ in
            wait.yield()
            try await Self.forever()
        }
        let running = Task { await exporter.run() }
        for number in 1...12 { exporter.offer(.sample(UInt64(number))) }
        var pauses = waiting.makeAsyncIterator()
        for _ in 1...2 { await pauses.next() }
        running.cancel()
        await running.value
        await exporter.flush(within: .seconds(30))
        #expect(try collector.requests.suffix(12) == Array(1...12))
        #expect(figures.exported == 12)
        #expect(figures.dropped("failed") == 0)
    }

    @Test func `a flush that fails, or has no time, drops the rest at once`() async throws {
        let (collector, figures) = (Collector(statuses: [503]), Figures())
        let failing = exporter(collector, figures)
        for number in 1...30 { failing.offer(.sample(UInt64(number))) }
        await failing.flush(within: .seconds(30))
        #expect(try collector.counts == [10])
        #expect(figures.dropped("failed") == 30)
        let late = exporter(collector, figures)
        late.offer(.sample())
        await late.flush(within: .zero)
        #expect(try collector.counts == [10])
        #expect(figures.dropped("failed") == 31)
    }

    @Test func `the share of traces that are recorded is the one asked for, and alike for one trace`() {
        for ratio in [0, 0.25, 0.5, 1] {
            let sampling = SamplingRatio(ratio)
            let traces = (0..<20_000).map { _ in
                TraceID(high: .random(in: .min ... .max), low: .random(in: .min ... .max))
            }
            let share = Double(traces.filter(sampling.takes).count) / 20_000
            #expect(abs(share - ratio) < 0.03)
        }
        let edges = [TraceID(high: 0, low: 0), TraceID(high: 0, low: .max)]
        #expect(edges.allSatisfy(SamplingRatio(1).takes))
        #expect(!edges.contains(where: SamplingRatio(0).takes))
        #expect(!edges.contains(where: SamplingRatio(-1).takes))
        #expect(edges.allSatisfy(SamplingRatio(7).takes))
    }
}
