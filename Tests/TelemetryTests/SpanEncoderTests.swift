import Foundation
import NIOCore
import SwiftProtobuf
import Testing

@testable import Telemetry

@Suite struct SpanEncoderTests {
    private let encoder = SpanEncoder(
        resource: SpanResource(serviceName: "s", serviceVersion: "1.2", instance: "i")
    )

    private func spans(_ request: ServerSpan) throws -> [OTLPSpan] {
        try decoded(encoder.encode([request])).resourceSpans[0].scopeSpans[0].spans
    }

    private func texts(_ attributes: [OTLPKeyValue]) -> [String: String] {
        Dictionary(uniqueKeysWithValues: attributes.map { ($0.key, $0.value.string) })
    }

    private func numbers(_ attributes: [OTLPKeyValue]) -> [String: Int64] {
        Dictionary(uniqueKeysWithValues: attributes.map { ($0.key, $0.value.int) })
    }

    @Test func `a request is a server span of its caller's trace, with what it was`() throws {
        let span = try #require(try spans(.sample(5)).first)
        #expect(span.traceID.map { String($0, radix: 16) }.joined() == "4bf92f3577b34da6a3ce929dee4736")
        #expect(span.spanID == Data([0, 0, 0, 0, 0, 0, 0, 5]))
        #expect(span.parentSpanID == Data([0x00, 0xF0, 0x67, 0xAA, 0x0B, 0xA9, 0x02, 0xB7]))
        #expect(span.kind == 2)
        #expect(span.flags == 0x301)
        #expect(span.name == "POST /v1/models/{model}:predict")
        #expect(span.startTimeUnixNano == 1_000_000_000_000_000_000)
        #expect(span.endTimeUnixNano == 1_000_000_000_010_000_000)
        #expect(span.status.code == 0)
        let texts = texts(span.attributes)
        #expect(texts["http.request.method"] == "POST")
        #expect(texts["http.route"] == "/v1/models/{model}:predict")
        #expect(texts["url.path"] == "/v1/models/a:predict")
        #expect(texts["url.scheme"] == "http")
        #expect(texts["error.type"] == nil)
        let numbers = numbers(span.attributes)
        #expect(numbers["http.response.status_code"] == 200)
        #expect(numbers["seqnorm.rows"] == 3)
        #expect(numbers["seqnorm.batch_rows"] == 7)
        #expect(numbers["seqnorm.batches"] == 2)
    }

    @Test func `each stage is a span below that of its request, and within its time`() throws {
        let spans = try spans(.sample())
        #expect(spans.dropFirst().map(\.name) == ["decode", "queue", "compute", "encode"])
        for stage in spans.dropFirst() {
            #expect(stage.parentSpanID == spans[0].spanID)
            #expect(stage.traceID == spans[0].traceID)
            #expect(stage.kind == 1)
            #expect(stage.startTimeUnixNano >= spans[0].startTimeUnixNano)
            #expect(stage.startTimeUnixNano <= stage.endTimeUnixNano)
            #expect(stage.endTimeUnixNano <= spans[0].endTimeUnixNano)
        }
        #expect(Set(spans.map(\.spanID)).count == spans.count)
    }

    @Test func `the names of spans below one do not meet those below another`() {
        let names = (1...1000).flatMap { parent in
            (1...4).map { SpanID(UInt64(parent) << 32 | 1).child($0) }
        }
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.bits != 0 })
    }

    @Test func `what is not known is left out`() throws {
        var request = ServerSpan(trace: TraceID(high: 1, low: 2), id: SpanID(3), parent: nil)
        request.path = "/" + String(repeating: "ä", count: 1000)
        let spans = try spans(request)
        #expect(spans.count == 1)
        #expect(spans[0].name == "HTTP")
        #expect(spans[0].parentSpanID.isEmpty)
        #expect(spans[0].flags == 0x101)
        let texts = texts(spans[0].attributes)
        #expect(texts.keys.sorted() == ["http.request.method", "url.path", "url.scheme"])
        #expect(texts["http.request.method"] == "_OTHER")
        #expect((texts["url.path"]?.utf8.count ?? 0) <= OTLPSpan.mostPathBytes + 2)
    }

    @Test(arguments: [(499, false, nil), (500, false, "500"), (504, false, "504"), (200, true, "broken_off")])
    func `only what the server could not do is an error`(status: Int, isBrokenOff: Bool, type: String?) throws
    {
        var request = ServerSpan.sample()
        request.status = status
        request.isBrokenOff = isBrokenOff
        let span = try #require(try spans(request).first)
        #expect(span.status.code == (type == nil ? 0 : 2))
        #expect(texts(span.attributes)["error.type"] == type)
    }

    @Test func `all spans of a message are of one service and one scope`() throws {
        let message = try decoded(encoder.encode((1...9).map { .sample($0) }))
        #expect(message.resourceSpans.count == 1)
        let resource = texts(message.resourceSpans[0].resource.attributes)
        #expect(resource["service.name"] == "s")
        #expect(resource["service.version"] == "1.2")
        #expect(resource["service.instance.id"] == "i")
        #expect(message.resourceSpans[0].scopeSpans.map(\.scope.name) == ["seqnorm"])
        #expect(message.resourceSpans[0].scopeSpans[0].spans.count == 45)
    }

    @Test func `an answer that keeps some spans back is understood, and any other is none`() throws {
        let answer = OTLPExportResponse.with { $0.partialSuccess.rejectedSpans = 7 }
        let bytes: [UInt8] = try answer.serializedBytes()
        #expect(encoder.rejectedRequests(ByteBuffer(bytes: bytes)) == 7)
        let wrong = OTLPExportResponse.with { $0.partialSuccess.rejectedSpans = -7 }
        let negative: [UInt8] = try wrong.serializedBytes()
        #expect(encoder.rejectedRequests(ByteBuffer(bytes: negative)) == 0)
        #expect(encoder.rejectedRequests(ByteBuffer()) == 0)
        #expect(encoder.rejectedRequests(ByteBuffer(string: "{\"partialSuccess\":{}}")) == 0)
    }
}
