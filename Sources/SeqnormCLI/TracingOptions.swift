public import ArgumentParser
public import Telemetry

/// Where spans of requests go; each can be given as an environment variable as well.
struct TracingOptions: ParsableArguments {
    @Option(help: "The collector that spans of requests are sent to, over OTLP/HTTP: http[s]://HOST[:PORT].")
    var otlpEndpoint: String?
    @Option(help: "The authorities of the collector's certificate, in PEM. (default: the system's)")
    var otlpCa: String?
    @Option(help: "How spans are compressed: none or gzip. (default: none)")
    var otlpCompression: CollectorCompression?
    @Option(help: "What the service is called in spans. (default: seqnorm)")
    var otlpServiceName: String?
    @Option(help: "The share of the traces that begin here which is recorded, 0 to 1. (default: 1)")
    var otlpSamplingRatio: Double?
    @Option(help: "Seconds a span waits to be sent with others. (default: 5)")
    var otlpInterval: Double?
    @Option(help: "Seconds the collector may take for a batch of spans. (default: 10)")
    var otlpTimeout: Double?
    @Option(help: "The most requests whose spans wait to be sent; others are dropped. (default: 2048)")
    var otlpMaxQueuedSpans: Int?
}

/// What holds, each with where it came from.
struct TracingSettings: Sendable {
    let otlpEndpoint: Setting<Optionally<String>>
    let otlpCa: Setting<Optionally<String>>
    let otlpCompression: Setting<CollectorCompression>
    let otlpServiceName: Setting<String>
    let otlpSamplingRatio: Setting<Double>
    let otlpInterval: Setting<Double>
    let otlpTimeout: Setting<Double>
    let otlpMaxQueuedSpans: Setting<Int>
    /// Where spans are posted; nil: none are made.
    let url: CollectorURL?
    /// What goes with every message.
    ///
    /// Only from the environment, as others can read a process's arguments; never printed.
    let headers: CollectorHeaders

    /// Settles every option; no file is read.
    ///
    /// OpenTelemetry's own variables hold where neither a flag nor one of this program's variables is set.
    ///
    /// - Parameters:
    ///   - options: What the command line said.
    ///   - environment: The process's environment.
    /// - Throws: `ValidationError` (exit code 2) that names the flag or variable and the rule.
    init(_ options: TracingOptions, environment: [String: String]) throws {
        let read = SettingReader(environment)
        let rule = "http[s]://HOST[:PORT][/PATH]"
        let endpoint = try read.text("otlp-endpoint", options.otlpEndpoint, rule: rule) {
            CollectorURL($0) != nil
        }
        if let base = endpoint.value.value {
            (otlpEndpoint, url) = (endpoint, CollectorURL(base)?.traces)
        } else {
            (otlpEndpoint, url) = try Self.standardEndpoint(environment, rule: rule) ?? (endpoint, nil)
        }
        headers = try url == nil ? CollectorHeaders() : Self.headers(environment)
        otlpCa = try read.text("otlp-ca", options.otlpCa, rule: "a file")
        otlpCompression = try Self.compression(options.otlpCompression, environment, isUsed: url != nil)
        let name = environment["OTEL_SERVICE_NAME"].flatMap { $0.isEmpty ? nil : $0 }
        otlpServiceName = try Setting(
            "otlp-service-name",
            flag: options.otlpServiceName,
            environment: name.map { environment.merging(["SEQNORM_OTLP_SERVICE_NAME": $0]) { own, _ in own } }
                ?? environment,
            default: "seqnorm",
            rule: "a name",
            where: { !$0.isEmpty }
        )
        otlpSamplingRatio = try Setting(
            "otlp-sampling-ratio",
            flag: options.otlpSamplingRatio,
            environment: environment,
            default: 1,
            rule: "a number in 0 ... 1",
            where: (0...1).contains
        )
        otlpInterval = try read.seconds("otlp-interval", options.otlpInterval, default: 5)
        otlpTimeout = try read.seconds("otlp-timeout", options.otlpTimeout, default: 10)
        otlpMaxQueuedSpans = try read.count(
            "otlp-max-queued-spans",
            options.otlpMaxQueuedSpans,
            default: 2048,
            in: 1...(1 << 20)
        )
    }

    /// What OpenTelemetry's variables say: the first is the place of spans, the second that of a whole collector.
    private static func standardEndpoint(
        _ environment: [String: String],
        rule: String
    ) throws -> (Setting<Optionally<String>>, CollectorURL)? {
        let names = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]
        guard let (name, text) = first(names, in: environment) else { return nil }
        guard let url = CollectorURL(text) else { throw ValidationError("\(name) must be \(rule)") }
        try checkProtocol(environment)
        let setting = try Setting(
            "otlp-endpoint",
            flag: nil,
            environment: ["SEQNORM_OTLP_ENDPOINT": text],
            default: Optionally<String>(nil as String?),
            rule: rule
        )
        return (setting, name == names[0] ? url : url.traces)
    }

    /// The first of the variables that is set; that of spans goes before that of all signals.
    private static func first(_ names: [String], in environment: [String: String]) -> (
        name: String, value: String
    )? {
        for name in names {
            if let value = environment[name], !value.isEmpty { return (name, value) }
        }
        return nil
    }

    /// Whoever set OpenTelemetry's address for gRPC would wait for spans that never come.
    private static func checkProtocol(_ environment: [String: String]) throws {
        let names = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"]
        guard let (name, value) = first(names, in: environment), value != "http/protobuf" else { return }
        throw ValidationError("\(name) is \(value), but spans go over http/protobuf only")
    }

    /// A flag, else this program's variable, else OpenTelemetry's, which are for a collector that is used.
    private static func compression(
        _ flag: CollectorCompression?,
        _ environment: [String: String],
        isUsed: Bool
    ) throws -> Setting<CollectorCompression> {
        let own = "SEQNORM_OTLP_COMPRESSION"
        let rule = "none or gzip"
        let names = ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"]
        var environment = environment
        if isUsed, flag == nil, environment[own] ?? "" == "", let (name, word) = first(names, in: environment)
        {
            guard CollectorCompression(word) != nil else { throw ValidationError("\(name) must be \(rule)") }
            environment[own] = word
        }
        return try Setting(
            "otlp-compression",
            flag: flag,
            environment: environment,
            default: .nothing,
            rule: rule
        )
    }

    private static func headers(_ environment: [String: String]) throws -> CollectorHeaders {
        let names = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"]
        guard let (name, list) = first(names, in: environment) else { return CollectorHeaders() }
        do {
            return try CollectorHeaders(list)
        } catch {
            throw ValidationError("\(name): \(error)")
        }
    }

    /// Every option with its value and where it came from.
    var summary: String {
        [
            otlpEndpoint.summary, otlpCa.summary, otlpCompression.summary, otlpServiceName.summary,
            otlpSamplingRatio.summary, otlpInterval.summary, otlpTimeout.summary, otlpMaxQueuedSpans.summary,
        ].joined(separator: " ")
    }
}

extension CollectorCompression: ExpressibleByArgument {}

extension CollectorCompression: LosslessStringConvertible {
    /// Reads `none` or `gzip`; nil for anything else.
    ///
    /// - Parameter description: The word.
    public init?(_ description: String) { self.init(rawValue: description) }

    /// `none` or `gzip`.
    public var description: String { rawValue }
}
