import Foundation
import HTTPServer
import HTTPTestSupport
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import SwiftProtobuf
import Testing

@testable import HTTPAPI
@testable import Telemetry

@Suite(.timeLimit(.minutes(10))) struct RequestSpanTests {
    private static let predict = "/v1/models/peptide-bytenet:predict"
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let parent = "00f067aa0ba902b7"

    /// Keeps what is sent.
    private final class Sink: SpanTransport {
        let messages = NIOLockedValueBox<[ByteBuffer]>([])

        func post(_ body: ByteBuffer, timeout: Duration) async throws -> CollectorAnswer {
            messages.withLockedValue { $0.append(body) }
            return CollectorAnswer(status: 200)
        }
    }

    /// The spans that some requests make.
    private func spans(
        ratio: Double = 1,
        _ body: (TestService) async throws -> Void
    ) async throws -> [OTLPSpan] {
        let sink = Sink()
        var options = SpanExporter.Options(resource: SpanResource(serviceName: "s", serviceVersion: "1"))
        options.sampling = SamplingRatio(ratio)
        let exporter = SpanExporter(
            options: options,
            transport: sink,
            metrics: PrometheusRegistry(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await body(try await TestService.shared.traced(by: exporter))
        await exporter.flush(within: .seconds(60))
        return try sink.messages.withLockedValue { $0 }.flatMap { message in
            try OTLPExportRequest(serializedBytes: Array(message.readableBytesView))
                .resourceSpans[0].scopeSpans[0].spans
        }
    }

    private func number(_ name: String, of span: OTLPSpan) -> Int64? {
        span.attributes.first { $0.key == name }?.value.int
    }

    private func hex(_ bytes: Data) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    @Test func `a request to a model is a span with its stages, in the trace of its caller`() async throws {
        let spans = try await spans { service in
            let headers: HTTPHeaders = ["traceparent": "00-\(Self.trace)-\(Self.parent)-01"]
            let body = #"{"instances": ["ACD", "ACDEF"]}"#
            #expect(await service.call(.POST, Self.predict, headers: headers, body: body).status == 200)
        }
        #expect(
            spans.map(\.name) == ["POST /v1/models/{model}:predict", "decode", "queue", "compute", "encode"]
        )
        #expect(spans.allSatisfy { hex($0.traceID) == Self.trace })
        #expect(hex(spans[0].parentSpanID) == Self.parent)
        #expect(spans.dropFirst().allSatisfy { $0.parentSpanID == spans[0].spanID })
        for (span, next) in zip(spans.dropFirst(), spans.dropFirst(2)) {
            #expect(span.startTimeUnixNano <= next.startTimeUnixNano)
            #expect(span.endTimeUnixNano <= spans[0].endTimeUnixNano)
        }
        #expect(number("seqnorm.rows", of: spans[0]) == 8)
        #expect(try #require(number("seqnorm.batch_rows", of: spans[0])) >= 8)
        #expect(number("http.response.status_code", of: spans[0]) == 200)
    }

    @Test func `the caller decides whether its trace is recorded, and the ratio decides on all others`()
        async throws
    {
        let call: @Sendable (TestService, String) async -> Void = { service, flags in
            let field = flags.isEmpty ? "" : "00-\(Self.trace)-\(Self.parent)-\(flags)"
            _ = await service.call(.GET, "/livez", headers: ["traceparent": field])
        }
        let all = try await spans { service in
            for flags in ["00", "01", ""] { await call(service, flags) }
        }
        #expect(all.map { hex($0.parentSpanID) } == [Self.parent, ""])
        let sampled = try await spans(ratio: 0) { service in
            for flags in ["00", "01", ""] { await call(service, flags) }
        }
        #expect(sampled.map { hex($0.parentSpanID) } == [Self.parent])
    }

    @Test func `requests that are named alike are different spans`() async throws {
        let spans = try await spans { service in
            for _ in 1...5 { _ = await service.call(.GET, "/livez") }
        }
        #expect(Set(spans.map(\.spanID)).count == 5)
        #expect(Set(spans.map(\.traceID)).count == 5)
    }

    @Test func `what has no route has none in its span, and nothing of a query or a body is told`()
        async throws
    {
        let spans = try await spans { service in
            let request = HTTPRequest(method: .RAW(value: "BREW"), path: "/pot", query: "secret=1", id: "r")
            _ = await service.api.reply(to: request).response
            _ = await service.call(.POST, Self.predict, body: #"{"instances": ["SECRET1"]}"#)
        }
        #expect(spans.map(\.name) == ["HTTP", "POST /v1/models/{model}:predict"])
        #expect(spans.map { number("http.response.status_code", of: $0) } == [404, 422])
        #expect(spans.allSatisfy { !"\($0)".lowercased().contains("secret") })
        #expect(spans.allSatisfy { !"\($0)".contains("BREW") })
    }

    @Test func `a streamed answer ends its span with its last part, or when it is given up`() async throws {
        let headers: HTTPHeaders = ["Content-Type": "application/x-ndjson"]
        let body = Array(repeating: #"{"sequence": "ACDEF"}"#, count: 200).joined(separator: "\n")
        let whole = try await spans { service in
            let answer = await service.call(.POST, Self.predict, headers: headers, body: body)
            #expect(answer.status == 200)
        }
        #expect(whole.count == 1)
        #expect(number("seqnorm.rows", of: whole[0]) == 1000)
        #expect(whole[0].status.code == 0)
        let broken = try await spans { service in
            let request = HTTPRequest(
                method: .POST,
                path: Self.predict,
                headers: headers,
                body: ByteBuffer(string: body),
                id: "r"
            )
            _ = await service.api.reply(to: request).response
        }
        #expect(broken.count == 1)
        #expect(broken[0].status.code == 2)
    }
}
