import ArgumentParser
import Inference
import Logging
import Serving

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The flags of `seqnorm serve`; each can be given as an environment variable as well.
struct ServeOptions: ParsableArguments {
    @Argument(help: "An .onnx file, a model's folder NAME/VERSION/model.onnx, or a folder of models.")
    var paths: [String] = []

    @Option(help: "The name or address to listen on. (default: 127.0.0.1)")
    var host: String?
    @Option(help: "The port; 0 takes a free one and prints it. (default: 8080)")
    var port: Int?
    @Option(
        help: "ragged (no padding is computed) or padded (to the longest, with a mask). (default: ragged)"
    )
    var batching: Batching?
    @Option(help: "Threads that run models. (default: one a core)")
    var threads: Int?
    @Option(help: "Threads that move bytes and run short requests. (default: one a core)")
    var eventLoopThreads: Int?
    @Option(
        help: "Microseconds a run may take to be done by the thread that read the request. (default: 250)"
    )
    var maxInlineMicroseconds: Int?
    @Option(help: "The most positions that are run at once. (default: 16384)")
    var maxBatchRows: Int?
    @Option(help: "The most sequences that are run at once. (default: 256)")
    var maxBatchSize: Int?
    @Option(
        help:
            "Milliseconds one run should take at most, as far as is known; 0: whatever it takes. (default: 10)"
    )
    var targetBatchMilliseconds: Int?
    @Option(help: "The most requests that wait for a thread; one more is answered 429. (default: 1024)")
    var maxQueuedRequests: Int?
    @Option(help: "The most positions that wait for a thread; beyond them 429. (default: 1048576)")
    var maxQueuedRows: Int?
    @Option(help: "Seconds a request waits for others to run with while a thread is idle. (default: 0)")
    var maxQueueDelay: Double?
    @Option(help: "Seconds until a request that asks for no other is answered 504; 0: never. (default: 300)")
    var requestTimeout: Double?
    @Option(help: "The most sequences in one request. (default: 10000)")
    var maxInstances: Int?
    @Option(help: "The most positions in one sequence. (default: 1000000)")
    var maxPositions: Int?
    @Option(help: "The most bytes of a request's body. (default: 67108864)")
    var maxBodyBytes: Int?
    @Option(help: "The most bytes of a request's head. (default: 16384)")
    var maxHeaderBytes: Int?
    @Option(help: "The most connections open at once. (default: 1024)")
    var maxConnections: Int?
    @OptionGroup var connections: ConnectionOptions
    @OptionGroup var listener: ListenerOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var passes: PassOptions
    @OptionGroup var precision: PrecisionOptions
    @OptionGroup var tracing: TracingOptions
    @Option(help: "Seconds to go on answering, not ready, after SIGTERM or SIGINT. (default: 5)")
    var drainDelay: Double?
    @Option(help: "Seconds requests in flight have to finish after the drain delay. (default: 25)")
    var shutdownTimeout: Double?
    @Option(help: "Whether every request is logged, at level info: true or false. (default: false)")
    var accessLog: Bool?
    @Option(help: "How logs are written on standard error: text or json. (default: text)")
    var logFormat: LogFormat?
    @Option(help: "trace, debug, info, notice, warning, error or critical. (default: info)")
    var logLevel: String?
}

/// The effective configuration of a server: flag, else environment variable, else default.
struct ServeSettings: Sendable {
    let paths: [String]
    let host: Setting<String>
    let port: Setting<Int>
    let batching: Setting<Batching>
    let threads: Setting<Int>
    let eventLoopThreads: Setting<Int>
    let maxInlineMicroseconds: Setting<Int>
    let maxBatchRows: Setting<Int>
    let maxBatchSize: Setting<Int>
    let targetBatchMilliseconds: Setting<Int>
    let maxQueuedRequests: Setting<Int>
    let maxQueuedRows: Setting<Int>
    let maxQueueDelay: Setting<Double>
    let requestTimeout: Setting<Double>
    let maxInstances: Setting<Int>
    let maxPositions: Setting<Int>
    let maxBodyBytes: Setting<Int>
    let maxHeaderBytes: Setting<Int>
    let maxConnections: Setting<Int>
    let connections: ConnectionSettings
    let listener: ListenerSettings
    let limits: LimitSettings
    let disabledPasses: Setting<PassList>
    let precision: Setting<Precision>
    let tracing: TracingSettings
    let drainDelay: Setting<Double>
    let shutdownTimeout: Setting<Double>
    let accessLog: Setting<Bool>
    let logFormat: Setting<LogFormat>
    let logLevel: Setting<String>

    /// Settles every option.
    ///
    /// - Parameters:
    ///   - options: What the command line said.
    ///   - environment: The process's environment; `SEQNORM_MODELS` holds paths, separated by colons.
    /// - Throws: `ValidationError` (exit code 2) that names the flag or variable and the rule.
    init(_ options: ServeOptions, environment: [String: String]) throws {
        let read = SettingReader(environment)
        let listed = environment["SEQNORM_MODELS"].map { $0.split(separator: ":").map(String.init) } ?? []
        paths = options.paths.isEmpty ? listed : options.paths
        guard !paths.isEmpty else {
            throw ValidationError("name at least one model: an argument PATH, or SEQNORM_MODELS")
        }
        host = try Setting(
            "host",
            flag: options.host,
            environment: environment,
            default: "127.0.0.1",
            rule: "a name or an address",
            where: { !$0.isEmpty }
        )
        port = try read.count("port", options.port, default: 8080, in: 0...65535)
        batching = try Setting(
            "batching",
            flag: options.batching,
            environment: environment,
            default: .ragged,
            rule: "ragged or padded"
        )
        let cores = ProcessorQuota.threadCount
        threads = try read.count("threads", options.threads, default: cores, in: 1...1024)
        eventLoopThreads = try read.count(
            "event-loop-threads",
            options.eventLoopThreads,
            default: min(cores, 256),
            in: 1...256
        )
        maxInlineMicroseconds = try read.count(
            "max-inline-microseconds",
            options.maxInlineMicroseconds,
            default: 250,
            in: 0...1_000_000
        )
        maxBatchRows = try read.count(
            "max-batch-rows",
            options.maxBatchRows,
            default: 16384,
            in: 1...(1 << 30)
        )
        maxBatchSize = try read.count("max-batch-size", options.maxBatchSize, default: 256, in: 1...(1 << 20))
        maxQueuedRequests = try read.count(
            "max-queued-requests",
            options.maxQueuedRequests,
            default: 1024,
            in: 1...(1 << 20)
        )
        targetBatchMilliseconds = try read.count(
            "target-batch-milliseconds",
            options.targetBatchMilliseconds,
            default: 10,
            in: 0...1_000_000
        )
        maxQueuedRows = try read.count(
            "max-queued-rows",
            options.maxQueuedRows,
            default: 1 << 20,
            in: 1...(1 << 40)
        )
        maxQueueDelay = try read.seconds("max-queue-delay", options.maxQueueDelay, default: 0, least: 0)
        requestTimeout = try read.seconds("request-timeout", options.requestTimeout, default: 300, least: 0)
        maxInstances = try read.count(
            "max-instances",
            options.maxInstances,
            default: 10_000,
            in: 1...(1 << 30)
        )
        maxPositions = try read.count(
            "max-positions",
            options.maxPositions,
            default: 1_000_000,
            in: 1...(1 << 30)
        )
        maxBodyBytes = try read.count(
            "max-body-bytes",
            options.maxBodyBytes,
            default: 64 << 20,
            in: 1...(1 << 31)
        )
        maxHeaderBytes = try read.count(
            "max-header-bytes",
            options.maxHeaderBytes,
            default: 16 << 10,
            in: 256...(1 << 20)
        )
        maxConnections = try read.count(
            "max-connections",
            options.maxConnections,
            default: 1024,
            in: 1...(1 << 20)
        )
        connections = try ConnectionSettings(options.connections, environment: environment)
        listener = try ListenerSettings(options.listener, environment: environment)
        limits = try LimitSettings(options.limits, environment: environment)
        disabledPasses = try options.passes.setting(environment)
        precision = try options.precision.setting(environment)
        tracing = try TracingSettings(options.tracing, environment: environment)
        drainDelay = try read.seconds("drain-delay", options.drainDelay, default: 5, least: 0)
        shutdownTimeout = try read.seconds("shutdown-timeout", options.shutdownTimeout, default: 25, least: 0)
        accessLog = try read.flag("access-log", options.accessLog, default: false)
        logFormat = try Setting(
            "log-format",
            flag: options.logFormat,
            environment: environment,
            default: .text,
            rule: "text or json"
        )
        logLevel = try Setting(
            "log-level",
            flag: options.logLevel,
            environment: environment,
            default: "info",
            rule: "one of \(Logger.Level.names.joined(separator: ", "))",
            where: Logger.Level.names.contains
        )
    }

    /// Every option with its value and where it came from; no option is a secret.
    var summary: String {
        [
            host.summary, port.summary, batching.summary, threads.summary, eventLoopThreads.summary,
            maxInlineMicroseconds.summary,
            maxBatchRows.summary, maxBatchSize.summary, targetBatchMilliseconds.summary,
            maxQueuedRequests.summary, maxQueuedRows.summary, maxQueueDelay.summary, requestTimeout.summary,
            maxInstances.summary,
            maxPositions.summary, maxBodyBytes.summary, maxHeaderBytes.summary, maxConnections.summary,
            connections.summary, listener.summary, limits.summary, disabledPasses.summary,
            precision.summary,
            tracing.summary,
            drainDelay.summary, shutdownTimeout.summary, accessLog.summary, logFormat.summary,
            logLevel.summary,
        ].joined(separator: " ")
    }
}
