import Metrics

/// How long bodies take to be read and answers to be written; the handles are made once.
final class StageMetrics: Sendable {
    private let decode: Timer
    private let encode: Timer

    init(factory: any MetricsFactory) {
        decode = Timer(label: "seqnorm_decode_seconds", factory: factory)
        encode = Timer(label: "seqnorm_encode_seconds", factory: factory)
    }

    /// Notes one body that was read.
    func recordDecode(_ duration: Duration) { decode.recordNanoseconds(duration.wholeNanoseconds) }

    /// Notes one answer that was written.
    func recordEncode(_ duration: Duration) { encode.recordNanoseconds(duration.wholeNanoseconds) }
}

extension Duration {
    /// Nanoseconds, without what is less than one.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000
    }
}
