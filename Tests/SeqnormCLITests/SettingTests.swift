import ArgumentParser
import HTTPServer
import Inference
import ONNXGraph
import Telemetry
import Testing

@testable import SeqnormCLI

@Suite struct SettingTests {
    private func count(_ flag: Int?, _ environment: [String: String] = [:]) throws -> Setting<Int> {
        try Setting(
            "drain-count",
            flag: flag,
            environment: environment,
            default: 3,
            rule: "an integer in 1 ... 9",
            where: (1...9).contains
        )
    }

    /// The message of a usage error, which leaves with 2.
    private func message(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return (error as? ValidationError)?.message
        }
    }

    @Test func `a flag wins over a variable, and a variable over the default`() throws {
        let variable = ["SEQNORM_DRAIN_COUNT": "5"]
        #expect(try count(7, variable).summary == "drain-count=7 (flag)")
        #expect(try count(nil, variable).summary == "drain-count=5 (environment)")
        #expect(try count(nil).summary == "drain-count=3 (default)")
        #expect(try count(nil, ["SEQNORM_DRAIN_COUNT": ""]).summary == "drain-count=3 (default)")
        #expect(try count(nil, ["SEQNORM_DRAIN-COUNT": "5", "DRAIN_COUNT": "5"]).value == 3)
    }

    @Test(arguments: ["0", "10", "x", "5 ", "1e1", "99999999999999999999"])
    func `a bad variable is named with its rule`(text: String) {
        let found = message { _ = try count(nil, ["SEQNORM_DRAIN_COUNT": text]) }
        #expect(found == "SEQNORM_DRAIN_COUNT must be an integer in 1 ... 9")
    }

    @Test func `a bad flag is named with its rule, and a bad variable below it does not matter`() throws {
        #expect(message { _ = try count(0) } == "--drain-count must be an integer in 1 ... 9")
        #expect(try count(1, ["SEQNORM_DRAIN_COUNT": "x"]).value == 1)
    }
}

@Suite struct ServeSettingsTests {
    private func settings(_ arguments: [String], _ environment: [String: String] = [:]) throws
        -> ServeSettings
    {
        try ServeSettings(ServeOptions.parse(arguments), environment: environment)
    }

    /// Every option with a value that is not its default.
    private static let options = [
        ("host", "::1"), ("port", "0"), ("batching", "padded"), ("threads", "3"), ("event-loop-threads", "2"),
        ("max-inline-microseconds", "4"),
        ("max-batch-rows", "17"), ("max-batch-size", "5"), ("target-batch-milliseconds", "18"),
        ("max-queued-requests", "6"), ("max-queued-rows", "19"), ("max-queue-delay", "0.25"),
        ("request-timeout", "2.5"),
        ("max-instances", "7"), ("max-positions", "8"), ("max-body-bytes", "9"), ("max-header-bytes", "300"),
        ("max-connections", "11"), ("idle-timeout", "2.5"), ("header-timeout", "3.5"),
        ("body-timeout", "4.5"), ("write-timeout", "5.5"), ("http2", "false"),
        ("max-concurrent-streams", "8"),
        ("max-inflate-ratio", "6"),
        ("compression-level", "7"),
        ("unix-socket", "/s"), ("admin-port", "9"), ("tls-certificate", "c"), ("tls-key", "k"),
        ("tls-client-ca", "a"), ("api-keys", "f"), ("cors-origin", "https://a,https://b"),
        ("max-nesting-depth", "12"), ("max-nodes", "13"),
        ("max-tensor-bytes", "14"), ("max-loop-trips", "15"), ("max-scan-output-bytes", "16"),
        ("max-function-depth", "17"), ("max-inlined-bytes", "18"), ("disable-pass", "gelu-fusion"),
        ("precision", "bf16"),
        ("otlp-endpoint", "http://c:4318"), ("otlp-ca", "r"), ("otlp-compression", "gzip"),
        ("otlp-service-name", "s"),
        ("otlp-sampling-ratio", "0.25"), ("otlp-interval", "0.5"), ("otlp-timeout", "1.5"),
        ("otlp-max-queued-spans", "19"),
        ("drain-delay", "0.5"), ("shutdown-timeout", "1.5"),
        ("access-log", "true"), ("log-format", "json"), ("log-level", "debug"),
    ]

    /// The message of a usage error, which leaves with 2.
    private func message(_ body: () throws -> Void) -> String? {
        (#expect(throws: ValidationError.self) { try body() })?.message
    }

    private static func variable(_ name: String) -> String {
        "SEQNORM_" + name.uppercased().replacing("-", with: "_")
    }

    @Test func `every option is read from the command line and from the environment`() throws {
        let flags = Self.options.flatMap { ["--\($0.0)", $0.1] }
        let fromFlags = try settings(flags + ["model.onnx"])
        #expect(
            fromFlags.summary == Self.options.map { "\($0.0)=\($0.1) (flag)" }.joined(separator: " ")
        )
        let variables = Dictionary(
            uniqueKeysWithValues: Self.options.map { (Self.variable($0.0), $0.1) }
        )
        let fromVariables = try settings(["model.onnx"], variables)
        #expect(
            fromVariables.summary
                == Self.options.map { "\($0.0)=\($0.1) (environment)" }.joined(separator: " ")
        )
    }

    @Test func `what is settled reaches the server and the scheduler`() throws {
        let settings = try settings(Self.options.flatMap { ["--\($0.0)", $0.1] } + ["model.onnx"])
        let server = settings.serverConfiguration
        #expect(server.host == "::1")
        #expect(server.port == 0)
        #expect(server.eventLoopThreads == 2)
        #expect(server.maxBodyBytes == 9)
        #expect(server.maxHeaderBytes == 300)
        #expect(server.maxConnections == 11)
        #expect(server.idleTimeout == .milliseconds(2500))
        #expect(server.headerTimeout == .milliseconds(3500))
        #expect(server.bodyTimeout == .milliseconds(4500))
        #expect(server.writeTimeout == .milliseconds(5500))
        #expect(!server.speaksHTTP2)
        #expect(server.maxConcurrentStreams == 8)
        #expect(server.maxInflateRatio == 6)
        #expect(server.compressionLevel == 7)
        #expect(server.unixSocketPath == "/s")
        #expect(server.cors == CORSPolicy(origins: ["https://b", "https://a"]))
        #expect(server.asksBeforeBody)
        #expect(settings.adminConfiguration?.port == 9)
        #expect(settings.adminConfiguration?.unixSocketPath == nil)
        #expect(
            settings.listener.tlsFiles == .init(certificate: "c", key: "k", clientAuthorities: "a")
        )
        #expect(server.shutdownTimeout == .milliseconds(1500))
        let batches = settings.batchOptions
        #expect(batches.batching == .padded)
        #expect(batches.maxBatchRows == 17)
        #expect(batches.maxBatchSize == 5)
        #expect(batches.maxQueuedRequests == 6)
        #expect(batches.maxQueuedRows == 19)
        #expect(batches.targetRun == .milliseconds(18))
        #expect(batches.maxQueueDelay == .milliseconds(250))
        #expect(batches.maxSequencePositions == 8)
        let limits = ModelLimits(
            nestingDepth: 12,
            nodes: 13,
            tensorBytes: 14,
            loopTrips: 15,
            scanOutputBytes: 16,
            functionDepth: 17,
            inlinedBytes: 18
        )
        #expect(settings.limits.limits == limits)
        #expect(settings.precision.value == .bfloat16)
        #expect(settings.decodingLimits.maxSequences == 7)
        #expect(settings.decodingLimits.maxPositions == 8)
    }

    @Test func `OpenTelemetry's variables hold where nothing else is said`() throws {
        let base = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1/x/", "OTEL_SERVICE_NAME": "n"]
        #expect(try settings(["m"]).tracing.url == nil)
        let found = try settings(["m"], base).tracing
        #expect(found.url?.description == "http://a:1/x/v1/traces")
        #expect(found.otlpServiceName.summary == "otlp-service-name=n (environment)")
        let traces = base.merging(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://b/y"]) { $1 }
        #expect(try settings(["m"], traces).tracing.url?.description == "https://b:443/y")
        let own = traces.merging(["SEQNORM_OTLP_ENDPOINT": "http://c"]) { $1 }
        #expect(try settings(["m"], own).tracing.url?.description == "http://c:80/v1/traces")
        let flags = ["--otlp-endpoint", "http://[::1]:2", "--otlp-service-name", "f", "m"]
        #expect(try settings(flags, own).tracing.url?.description == "http://[::1]:2/v1/traces")
        #expect(try settings(flags, own).tracing.otlpServiceName.value == "f")
        #expect(
            message { _ = try settings(["m"], ["OTEL_EXPORTER_OTLP_ENDPOINT": "c:1"]) }
                == "OTEL_EXPORTER_OTLP_ENDPOINT must be http[s]://HOST[:PORT][/PATH]"
        )
    }

    @Test func `OpenTelemetry's header fields are read and its other protocols refused`() throws {
        let base = [
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        ]
        let all = base.merging(["OTEL_EXPORTER_OTLP_HEADERS": "api-key=secret,b=c"]) { $1 }
        #expect(try settings(["m"], all).tracing.headers == CollectorHeaders("api-key=secret,b=c"))
        #expect(!(try settings(["m"], all).summary.contains("secret")))
        let spans = all.merging(["OTEL_EXPORTER_OTLP_TRACES_HEADERS": "d=e"]) { $1 }
        #expect(try settings(["m"], spans).tracing.headers == CollectorHeaders("d=e"))
        let broken = base.merging(["OTEL_EXPORTER_OTLP_HEADERS": "secret"]) { $1 }
        #expect(
            message { _ = try settings(["m"], broken) }
                == "OTEL_EXPORTER_OTLP_HEADERS: item 1 must be NAME=VALUE"
        )
        let remote = base.merging(["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"]) { $1 }
        #expect(
            message { _ = try settings(["m"], remote) }
                == "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL is grpc, but spans go over http/protobuf only"
        )
        // They are for a collector that is not used then.
        #expect(try settings(["m"], ["OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"]).tracing.url == nil)
        #expect(
            try settings(["m"], ["OTEL_EXPORTER_OTLP_HEADERS": "secret"]).tracing.headers
                == CollectorHeaders()
        )
    }

    @Test func `OpenTelemetry's word for compression is read where nothing else is said`() throws {
        let all = "OTEL_EXPORTER_OTLP_COMPRESSION"
        let ofSpans = "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION"
        func compression(_ environment: [String: String], _ flags: String...) throws -> String {
            let base = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"].merging(environment) { $1 }
            return try settings(flags + ["m"], base).tracing.otlpCompression.summary
        }
        #expect(try compression([:]) == "otlp-compression=none (default)")
        #expect(try compression([all: ""]) == "otlp-compression=none (default)")
        #expect(try compression([all: "gzip"]) == "otlp-compression=gzip (environment)")
        #expect(try compression([all: "none"]) == "otlp-compression=none (environment)")
        #expect(try compression([all: "gzip", ofSpans: "none"]) == "otlp-compression=none (environment)")
        let own = [all: "none", "SEQNORM_OTLP_COMPRESSION": "gzip"]
        #expect(try compression(own) == "otlp-compression=gzip (environment)")
        #expect(try compression(own, "--otlp-compression", "none") == "otlp-compression=none (flag)")
        for (name, word) in [(all, "zstd"), (ofSpans, "GZIP"), (all, "gzip ")] {
            let fault = message { _ = try compression([name: word]) }
            #expect(fault == "\(name) must be none or gzip")
        }
        // It is for a collector that is not used then.
        #expect(try settings(["m"], [all: "zstd"]).tracing.otlpCompression.value == .nothing)
    }

    @Test func `an IPv6 address may stand in brackets`() throws {
        #expect(try settings(["--host", "[::1]", "m"]).serverConfiguration.host == "::1")
        #expect(try settings(["--host", "::", "m"]).serverConfiguration.host == "::")
    }

    @Test(arguments: [
        ["--tls-certificate", "c"], ["--tls-key", "k"], ["--tls-client-ca", "a"],
    ])
    func `a certificate and its key go together`(arguments: [String]) {
        #expect(throws: ValidationError.self) { try settings(arguments + ["m"]) }
    }

    @Test func `nothing said is the defaults`() throws {
        let summary = try settings(["model.onnx"]).summary
        #expect(summary.contains("host=127.0.0.1 (default) port=8080 (default) batching=ragged (default)"))
        #expect(summary.contains("drain-delay=5.0 (default) shutdown-timeout=25.0 (default)"))
        #expect(!summary.contains("flag") && !summary.contains("environment"))
    }

    @Test(arguments: [
        ("host", ""), ("port", "-1"), ("port", "65536"), ("batching", "even"), ("threads", "0"),
        ("precision", "half"),
        ("event-loop-threads", "0"), ("max-batch-rows", "0"), ("max-batch-size", "x"),
        ("max-queued-requests", "0"), ("max-queued-rows", "0"), ("max-queue-delay", "-1"),
        ("target-batch-milliseconds", "-1"), ("request-timeout", "-1"), ("max-instances", "0"),
        ("max-positions", "0"),
        ("max-body-bytes", "0"), ("max-header-bytes", "1"), ("max-connections", "0"), ("drain-delay", "-1"),
        ("max-nesting-depth", "65"), ("max-nodes", "0"), ("max-tensor-bytes", "0"), ("max-loop-trips", "-1"),
        ("max-scan-output-bytes", "0"), ("max-function-depth", "65"), ("max-inlined-bytes", "0"),
        ("drain-delay", "nan"), ("shutdown-timeout", "1e9"), ("log-level", "loud"),
        ("idle-timeout", "0"), ("write-timeout", "nan"),
        ("http2", "maybe"), ("max-concurrent-streams", "0"), ("max-inflate-ratio", "0"),
        ("compression-level", "10"),
        ("admin-port", "65536"), ("otlp-endpoint", "collector:4318"), ("otlp-sampling-ratio", "1.1"),
        ("otlp-compression", "zstd"), ("otlp-sampling-ratio", "nan"), ("otlp-interval", "0"),
        ("otlp-max-queued-spans", "0"),
        ("otlp-endpoint", "http://name:secret@collector"),
    ])
    func `a value that breaks its rule is a usage error that names it`(name: String, text: String) throws {
        #expect(throws: (any Error).self) { try settings(["--\(name)=\(text)", "model.onnx"]) }
        guard !text.isEmpty else { return }
        let failure = #expect(throws: ValidationError.self) {
            try settings(["model.onnx"], [Self.variable(name): text])
        }
        #expect(failure?.message.hasPrefix("\(Self.variable(name)) must be ") == true)
    }

    @Test func `models come from the arguments, else from SEQNORM_MODELS, and there must be one`() throws {
        #expect(try settings(["a", "b"]).paths == ["a", "b"])
        #expect(try settings([], ["SEQNORM_MODELS": "c:d e"]).paths == ["c", "d e"])
        #expect(try settings(["a"], ["SEQNORM_MODELS": "c"]).paths == ["a"])
        for environment in [[:], ["SEQNORM_MODELS": ""], ["SEQNORM_MODELS": "::"]] {
            let failure = #expect(throws: ValidationError.self) { try settings([], environment) }
            #expect(failure?.message.contains("SEQNORM_MODELS") == true)
        }
    }
}
