import HTTPServer
import Telemetry

/// Which trace a request belongs to, for logs and spans.
///
/// From the request's `traceparent` if it has a valid one, else made here: the same for every line about one request, and
/// another one for every request.
///
/// - SeeAlso: W3C Trace Context, section 3.2.
struct TraceContext: Hashable, Sendable {
    /// The trace, 32 hexadecimal digits.
    let traceID: TraceID
    /// The caller's span; nil if the trace begins here.
    let parentID: SpanID?
    /// The span of this request here.
    let spanID: SpanID
    /// Whether the caller records the trace.
    let isSampled: Bool

    /// Drawn once for the process, so that ids made here do not repeat with those of another.
    private static let seed = UInt64.random(in: .min ... .max)

    /// The context of a request; nothing is made or kept for requests that nobody writes of.
    ///
    /// - Parameters:
    ///   - request: The request; of one that is recorded, what its span says.
    ///   - salt: Tells requests apart to which their clients gave the same id.
    init(of request: HTTPRequest, salt: UInt64 = 0) {
        if let span = request.span {
            self = span.context
        } else {
            self.init(traceparent: request.headers.first(name: "traceparent"), id: request.id, salt: salt)
        }
    }

    /// The context of a request.
    ///
    /// - Parameters:
    ///   - traceparent: The header field, if there is one.
    ///   - id: The request's id.
    ///   - salt: Tells requests with the same id apart.
    init(traceparent: String?, id: String, salt: UInt64 = 0) {
        let hash = Self.hash(id, salt)
        spanID = SpanID(Self.mix(hash, 1))
        if let (trace, parent, flags) = traceparent.flatMap(Self.parse) {
            traceID = trace
            parentID = parent
            isSampled = flags & 1 == 1
        } else {
            traceID = TraceID(high: Self.mix(hash, 2), low: Self.mix(hash, 3))
            parentID = nil
            isSampled = false
        }
    }

    /// Reads `00-<32 hex>-<16 hex>-<2 hex>`; a later version may have more behind it.
    private static func parse(_ text: String) -> (trace: TraceID, parent: SpanID, flags: UInt8)? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts.map(\.utf8.count).prefix(4).elementsEqual([2, 32, 16, 2]),
            parts.prefix(4).allSatisfy(isLowerHex), parts[0] != "ff", parts[0] != "00" || parts.count == 4,
            let high = UInt64(parts[1].prefix(16), radix: 16),
            let low = UInt64(parts[1].suffix(16), radix: 16),
            let parent = UInt64(parts[2], radix: 16), high | low != 0, parent != 0,
            let flags = UInt8(parts[3], radix: 16)
        else { return nil }
        return (TraceID(high: high, low: low), SpanID(parent), flags)
    }

    private static func isLowerHex(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// FNV-1a.
    private static func hash(_ text: String, _ salt: UInt64) -> UInt64 {
        var bits = 0xCBF2_9CE4_8422_2325 ^ seed ^ salt
        for byte in text.utf8 { bits = (bits ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return bits
    }

    /// SplitMix64's finish; never 0.
    private static func mix(_ hash: UInt64, _ number: UInt64) -> UInt64 {
        var bits = hash &+ number &* 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        return bits == 0 ? 1 : bits
    }
}
