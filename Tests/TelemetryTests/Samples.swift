import Logging
import Metrics
import NIOConcurrencyHelpers
import NIOCore
import SwiftProtobuf

@testable import Telemetry

extension ServerSpan {
    /// A request with four stages.
    static func sample(_ number: UInt64 = 1) -> ServerSpan {
        var span = ServerSpan(
            trace: TraceID(high: 0x4BF9_2F35_77B3_4DA6, low: 0xA3CE_929D_0E0E_4736),
            id: SpanID(number),
            parent: SpanID(0x00F0_67AA_0BA9_02B7)
        )
        span.method = "POST"
        span.route = "/v1/models/{model}:predict"
        span.path = "/v1/models/a:predict"
        span.status = 200
        span.startNanoseconds = 1_000_000_000_000_000_000
        span.duration = .milliseconds(10)
        span.run = Run(rows: 3, batchRows: 7, batches: 2)
        span.stages = [
            Stage(.decode, start: .milliseconds(1), duration: .milliseconds(1)),
            Stage(.queue, start: .milliseconds(2), duration: .zero),
            Stage(.compute, start: .milliseconds(2), duration: .milliseconds(5)),
            Stage(.encode, start: .milliseconds(7), duration: .milliseconds(2)),
        ]
        return span
    }
}

/// A message as a collector reads it.
func decoded(_ body: ByteBuffer) throws -> OTLPExportRequest {
    try OTLPExportRequest(serializedBytes: Array(body.readableBytesView))
}

/// A collector that says what it is told to, in order, and then 200; keeps what it took.
final class Collector: SpanTransport {
    typealias Behaviour = @Sendable () async throws -> CollectorAnswer

    private struct State {
        var answers: [Behaviour]
        var messages: [ByteBuffer] = []
    }

    private let state: NIOLockedValueBox<State>
    /// One element for each message.
    let arrivals: AsyncStream<Void>
    private let arrival: AsyncStream<Void>.Continuation

    init(_ answers: [Behaviour] = []) {
        state = NIOLockedValueBox(State(answers: answers))
        (arrivals, arrival) = AsyncStream.makeStream()
    }

    convenience init(statuses: [Int]) {
        self.init(statuses.map { status in { CollectorAnswer(status: status) } })
    }

    func post(_ body: ByteBuffer, timeout: Duration) async throws -> CollectorAnswer {
        let answer: Behaviour? = state.withLockedValue { state in
            state.messages.append(body)
            return state.answers.isEmpty ? nil : state.answers.removeFirst()
        }
        arrival.yield()
        return try await answer?() ?? CollectorAnswer(status: 200)
    }

    /// How many requests each message told of.
    var counts: [Int] {
        get throws {
            try state.withLockedValue { $0.messages }.map { body in
                try decoded(body).resourceSpans[0].scopeSpans[0].spans.filter { $0.kind == 2 }.count
            }
        }
    }

    /// The spans of the requests of all messages.
    var requests: [UInt64] {
        get throws {
            try state.withLockedValue { $0.messages }.flatMap { body in
                try decoded(body).resourceSpans[0].scopeSpans[0].spans.filter { $0.kind == 2 }
                    .map { $0.spanID.reduce(0) { $0 << 8 | UInt64($1) } }
            }
        }
    }
}

/// Counters that can be read.
final class Figures: MetricsFactory {
    private final class Count: CounterHandler {
        let value = NIOLockedValueBox<Int64>(0)

        func increment(by amount: Int64) { value.withLockedValue { $0 += amount } }
        func reset() { value.withLockedValue { $0 = 0 } }
    }

    private let counts = NIOLockedValueBox<[String: Count]>([:])

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let name = ([label] + dimensions.map(\.1)).joined(separator: " ")
        return counts.withLockedValue { counts in
            let count = counts[name] ?? Count()
            counts[name] = count
            return count
        }
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        NOOPMetricsHandler.instance
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        NOOPMetricsHandler.instance
    }

    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    var exported: Int64 { count("seqnorm_spans_exported_total") }

    func dropped(_ reason: String) -> Int64 { count("seqnorm_spans_dropped_total \(reason)") }

    private func count(_ name: String) -> Int64 {
        counts.withLockedValue { $0[name] }?.value.withLockedValue { $0 } ?? 0
    }
}
