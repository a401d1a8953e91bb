import HTTPServer

/// Which trace a request belongs to, for logs.
///
/// From the request's `traceparent` if it has a valid one, else made here: the same for every line about one request, and
/// another one for every request.
///
/// - SeeAlso: W3C Trace Context, section 3.2.
struct TraceContext: Hashable, Sendable {
    /// 32 hexadecimal digits.
    let traceID: String
    /// The caller's span, 16 hexadecimal digits; nil if the trace begins here.
    let parentID: String?
    /// The span of this request here, 16 hexadecimal digits.
    let spanID: String
    /// Whether the caller records the trace.
    let isSampled: Bool

    /// Drawn once for the process, so that ids made here do not repeat with those of another.
    private static let seed = UInt64.random(in: .min ... .max)

    /// The context of a request; nothing is made or kept for requests that nobody writes of.
    init(of request: HTTPRequest) {
        self.init(traceparent: request.headers.first(name: "traceparent"), id: request.id)
    }

    /// The context of a request.
    ///
    /// - Parameters:
    ///   - traceparent: The header field, if there is one.
    ///   - id: The request's id.
    init(traceparent: String?, id: String) {
        spanID = Self.hex(Self.hash(id, 1))
        if let (trace, parent, flags) = traceparent.flatMap(Self.parse) {
            traceID = trace
            parentID = parent
            isSampled = flags & 1 == 1
        } else {
            traceID = Self.hex(Self.hash(id, 2)) + Self.hex(Self.hash(id, 3))
            parentID = nil
            isSampled = false
        }
    }

    /// Reads `00-<32 hex>-<16 hex>-<2 hex>`; a later version may have more behind it.
    private static func parse(_ text: String) -> (trace: String, parent: String, flags: UInt8)? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts.map(\.utf8.count).prefix(4).elementsEqual([2, 32, 16, 2]),
            parts.prefix(4).allSatisfy(isLowerHex), parts[0] != "ff", parts[0] != "00" || parts.count == 4,
            parts[1].contains(where: { $0 != "0" }), parts[2].contains(where: { $0 != "0" }),
            let flags = UInt8(parts[3], radix: 16)
        else { return nil }
        return (String(parts[1]), String(parts[2]), flags)
    }

    private static func isLowerHex(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// FNV-1a, then SplitMix64's finish; never 0.
    private static func hash(_ text: String, _ salt: UInt64) -> UInt64 {
        var bits = 0xCBF2_9CE4_8422_2325 ^ seed &+ salt &* 0x9E37_79B9_7F4A_7C15
        for byte in text.utf8 { bits = (bits ^ UInt64(byte)) &* 0x100_0000_01B3 }
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        return bits == 0 ? 1 : bits
    }

    private static func hex(_ bits: UInt64) -> String {
        let digits = String(bits, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
