import FoundationEssentials
import NIOCore
import SwiftProtobuf

/// Writes spans as the OpenTelemetry protocol wants them.
///
/// - SeeAlso: OpenTelemetry's semantic conventions for HTTP spans, 1.27.
struct SpanEncoder: Sendable {
    private let resource: OTLPResource
    private let scope: OTLPScope

    init(resource: SpanResource) {
        self.resource = .with {
            $0.attributes = [
                OTLPKeyValue("service.name", resource.serviceName),
                OTLPKeyValue("service.version", resource.serviceVersion),
                OTLPKeyValue("service.instance.id", resource.instance),
                OTLPKeyValue("telemetry.sdk.name", "seqnorm"),
                OTLPKeyValue("telemetry.sdk.language", "swift"),
                OTLPKeyValue("telemetry.sdk.version", resource.serviceVersion),
            ]
        }
        scope = .with {
            $0.name = "seqnorm"
            $0.version = resource.serviceVersion
        }
    }

    /// One message with the spans of all requests, each followed by those of its stages.
    func encode(_ requests: [ServerSpan]) -> ByteBuffer {
        let message = OTLPExportRequest.with {
            $0.resourceSpans = [
                .with {
                    $0.resource = resource
                    $0.scopeSpans = [
                        .with {
                            $0.scope = scope
                            $0.spans = requests.flatMap(OTLPSpan.spans)
                        }
                    ]
                }
            ]
        }
        // No field is required and no text is too long, so this cannot fail.
        let bytes: [UInt8] = (try? message.serializedBytes()) ?? []
        return ByteBuffer(bytes: bytes)
    }

    /// How many spans the collector says it did not keep; 0 if it says nothing that can be read.
    ///
    /// It counts all spans, so this is at least the number of requests concerned.
    func rejectedRequests(_ answer: ByteBuffer) -> Int {
        guard answer.readableBytes > 0,
            let message = try? OTLPExportResponse(serializedBytes: Array(answer.readableBytesView))
        else { return 0 }
        return Int(clamping: max(0, message.partialSuccess.rejectedSpans))
    }
}

extension OTLPKeyValue {
    init(_ key: String, _ text: String) {
        self.init()
        self.key = key
        value = .with { $0.string = text }
    }

    init(_ key: String, _ number: Int) {
        self.init()
        self.key = key
        value = .with { $0.int = Int64(number) }
    }
}
