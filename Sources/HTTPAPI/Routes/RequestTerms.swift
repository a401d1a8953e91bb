import HTTPServer
import NIOHTTP1
import Serving

/// What the header fields of a request say of how it wants to be treated.
struct RequestTerms {
    /// `X-Request-Priority`.
    var priority: RequestPriority?
    /// `X-Request-Timeout`, in seconds.
    var timeout: Duration?
    /// `X-Request-Timing: 1`.
    var wantsTiming = false

    /// Reads the fields, in one pass over all.
    ///
    /// - Throws: ``RouteFault/malformedField(name:rule:)``.
    init(_ headers: HTTPHeaders) throws(RouteFault) {
        for (name, value) in headers {
            switch name.utf8.count {
            case 16 where FieldName.equal(name, "x-request-timing"): wantsTiming = value == "1"
            case 17 where FieldName.equal(name, "x-request-timeout"):
                guard let seconds = Double(value), seconds > 0, seconds <= 86_400 else {
                    throw .malformedField(name: "X-Request-Timeout", rule: "a number of seconds up to 86400")
                }
                timeout = .seconds(seconds)
            case 18 where FieldName.equal(name, "x-request-priority"):
                guard let known = RequestPriority(rawValue: value) else {
                    throw .malformedField(name: "X-Request-Priority", rule: "interactive or bulk")
                }
                priority = known
            default: break
            }
        }
    }

    /// How the service is to treat a request.
    ///
    /// - Parameters:
    ///   - parameters: What the body says; of two timeouts the shorter one holds, of two priorities the body's.
    ///   - arrival: When the time began to run.
    ///   - standard: The timeout of a request that asks for none; nil: none.
    /// - Returns: The treatment.
    func handling(
        _ parameters: RequestParameters = RequestParameters(),
        since arrival: ContinuousClock.Instant,
        standard: Duration?
    ) -> RequestHandling {
        let asked = parameters.timeoutMilliseconds.map { Duration.milliseconds($0) } ?? timeout
        let shortest = asked.map { min($0, timeout ?? $0) } ?? standard
        return RequestHandling(
            priority: parameters.priority ?? priority ?? .interactive,
            deadline: shortest.map { arrival + $0 },
            isolatesFaults: parameters.isolatesFaults
        )
    }
}
