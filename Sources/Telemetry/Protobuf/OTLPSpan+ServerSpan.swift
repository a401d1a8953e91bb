import FoundationEssentials

extension OTLPSpan {
    private enum Kind: Int32 {
        case `internal` = 1
        case server = 2
    }

    /// The flags of a sampled span, whose parent is known to be of this process or of another one.
    private static func flags(isParentRemote: Bool) -> UInt32 { isParentRemote ? 0x301 : 0x101 }

    /// Paths are cut to so many bytes: they are as long as a client likes.
    static let mostPathBytes = 256

    /// The span of a request, and those of its stages.
    static func spans(of request: ServerSpan) -> [OTLPSpan] {
        [server(request)] + request.stages.enumerated().map { stage($1, of: request, number: UInt64($0) + 1) }
    }

    private static func server(_ request: ServerSpan) -> OTLPSpan {
        var span = OTLPSpan()
        span.traceID = Data(request.trace)
        span.spanID = Data(bigEndian: request.id.bits)
        if let parent = request.parent { span.parentSpanID = Data(bigEndian: parent.bits) }
        span.flags = flags(isParentRemote: request.parent != nil)
        let verb = request.method == "_OTHER" ? "HTTP" : request.method
        span.name = request.route.map { "\(verb) \($0)" } ?? verb
        span.kind = Kind.server.rawValue
        span.startTimeUnixNano = request.startNanoseconds
        span.endTimeUnixNano = request.startNanoseconds &+ request.duration.nanoseconds
        span.attributes = attributes(of: request)
        if request.status >= 500 || request.isBrokenOff { span.status.code = 2 }
        return span
    }

    private static func attributes(of request: ServerSpan) -> [OTLPKeyValue] {
        var attributes = [
            OTLPKeyValue("http.request.method", request.method),
            OTLPKeyValue(
                "url.path",
                String(decoding: request.path.utf8.prefix(mostPathBytes), as: UTF8.self)
            ),
            OTLPKeyValue("url.scheme", request.scheme),
        ]
        if request.status > 0 {
            attributes.append(OTLPKeyValue("http.response.status_code", request.status))
        }
        if let route = request.route { attributes.append(OTLPKeyValue("http.route", route)) }
        if let run = request.run {
            attributes.append(OTLPKeyValue("seqnorm.rows", run.rows))
            attributes.append(OTLPKeyValue("seqnorm.batch_rows", run.batchRows))
            attributes.append(OTLPKeyValue("seqnorm.batches", run.batches))
        }
        if request.isBrokenOff {
            attributes.append(OTLPKeyValue("error.type", "broken_off"))
        } else if request.status >= 500 {
            attributes.append(OTLPKeyValue("error.type", String(request.status)))
        }
        return attributes
    }

    private static func stage(_ stage: ServerSpan.Stage, of request: ServerSpan, number: UInt64) -> OTLPSpan {
        var span = OTLPSpan()
        span.traceID = Data(request.trace)
        span.spanID = Data(bigEndian: request.id.child(number).bits)
        span.parentSpanID = Data(bigEndian: request.id.bits)
        span.flags = flags(isParentRemote: false)
        span.name = stage.name.rawValue
        span.kind = Kind.internal.rawValue
        span.startTimeUnixNano = request.startNanoseconds &+ stage.start.nanoseconds
        span.endTimeUnixNano = span.startTimeUnixNano &+ stage.duration.nanoseconds
        return span
    }
}

extension SpanID {
    /// The name of a span below this one: as random as this one is, and never 0.
    func child(_ number: UInt64) -> SpanID {
        // SplitMix64 (Steele, Lea & Flood 2014).
        var bits = bits &+ number &* 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        return SpanID(bits == 0 ? 1 : bits)
    }
}

extension Data {
    fileprivate init(bigEndian bits: UInt64) {
        self = Swift.withUnsafeBytes(of: bits.bigEndian) { Data($0) }
    }

    fileprivate init(_ trace: TraceID) {
        self = Data(bigEndian: trace.high) + Data(bigEndian: trace.low)
    }
}

extension Duration {
    /// Nanoseconds, 0 for what is negative.
    fileprivate var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(seconds) &* 1_000_000_000 &+ UInt64(attoseconds / 1_000_000_000)
    }
}
