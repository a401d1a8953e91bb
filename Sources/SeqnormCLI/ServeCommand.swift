import ArgumentParser
import FoundationEssentials
import HTTPAPI
import HTTPServer
import Inference
import Logging
import Metrics
import NIOConcurrencyHelpers
import ServiceLifecycle
import Serving

/// Serves models over HTTP: puts the parts together and holds them until a signal.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves models over HTTP.",
        discussion: """
            Every option can be given as an environment variable as well, --drain-delay as SEQNORM_DRAIN_DELAY; a \
            flag wins. SEQNORM_MODELS holds paths, separated by colons.
            """
    )

    @OptionGroup var options: ServeOptions

    func run() async throws {
        let settings = try ServeSettings(options, environment: ProcessInfo.processInfo.environment)
        let level = LogLevel(Logger.Level(rawValue: settings.logLevel.value) ?? .info)
        let format = settings.logFormat.value
        LoggingSystem.bootstrap { LevelledLogHandler(format.handler(label: $0), level: level) }
        let logger = Logger(label: "seqnorm")
        let process = try ServingProcess(settings: settings, logger: logger)
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: process, successTerminationBehavior: .gracefullyShutdownGroup),
                    .init(
                        service: ReloadService(subjects: process.reloads, logger: logger),
                        successTerminationBehavior: .ignore
                    ),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        let signals = level.toggleOnSignal(logger)
        defer { signals.cancel() }
        try await group.run()
    }
}

/// A server with its models, threads and figures, from bind to the last answer.
struct ServingProcess: Service {
    private let settings: ServeSettings
    private let repository: ModelRepository
    private let pool: ComputePool
    private let service: InferenceService
    private let server: Server
    private let admin: Server?
    private let spans: SpanExport?
    /// What is read anew on SIGHUP.
    let reloads: [ReloadService.Subject]
    private let logger: Logger

    /// Finds the models and puts the parts together; nothing listens and nothing is loaded yet.
    init(settings: ServeSettings, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        repository = try ModelRepository(
            paths: settings.paths.map { URL(fileURLWithPath: $0) },
            options: RepositoryOptions(
                limits: settings.limits.limits,
                disabledPasses: settings.disabledPasses.value.passes,
                precision: settings.precision.value,
                warmUpBatchings: [settings.batching.value]
            )
        )
        if !settings.precision.value.isNative {
            logger.warning(
                "this processor has no products of bfloat16: --precision bf16 is slower than float32 here",
                metadata: ["instructions": "\(Precision.instructions)"]
            )
        }
        pool = ComputePool(threads: settings.threads.value)
        service = InferenceService(repository: repository, pool: pool, options: settings.batchOptions)
        let identity = try settings.listener.tlsFiles.map {
            try TLSIdentity($0, speaksHTTP2: settings.connections.http2.value)
        }
        let access = try settings.listener.apiKeys.value.value.map { try AccessControl(path: $0) }
        reloads = [identity.map { .init($0) }, access.map { .init($0) }].compactMap(\.self)
        let bound = NIOLockedValueBox<Server?>(nil)
        var options = ServingAPI.Options(
            version: Seqnorm.version,
            limits: settings.decodingLimits,
            requestTimeout: settings.requestTimeout.value > 0
                ? .seconds(settings.requestTimeout.value) : nil,
            logsAccess: settings.accessLog.value,
            connectionCount: { bound.withLockedValue { $0?.connectionCount } ?? 0 }
        )
        options.access = access
        spans = try SpanExport(settings.tracing, metrics: registry, logger: logger)
        options.spans = spans?.exporter
        options.scheme = identity == nil ? "http" : "https"
        let api = ServingAPI(
            service: service,
            registry: registry,
            options: options,
            logger: logger
        )
        let adminConfiguration = settings.adminConfiguration
        let server = Server(
            configuration: settings.serverConfiguration,
            responder: adminConfiguration == nil ? api : api.restricted(to: [.infer]),
            logger: logger,
            tls: identity
        )
        admin = adminConfiguration.map {
            Server(
                configuration: $0,
                responder: api.restricted(to: [.metrics, .admin], scheme: "http"),
                logger: logger
            )
        }
        bound.withLockedValue { $0 = server }
        self.server = server
    }

    func run() async throws {
        if let limit = DescriptorLimit.raise(for: settings.maxConnections.value) {
            logger.warning("the system allows \(limit) open files; --max-connections needs more")
        }
        let address = try await server.start()
        let announcement = Announcement(
            host: settings.bareHost,
            port: address.port ?? settings.port.value,
            isSecure: settings.listener.tlsFiles != nil,
            unixSocket: settings.listener.unixSocket.value.value
        )
        let adminPort: Int?
        do {
            adminPort = try await admin?.start().port
        } catch {
            await server.stop()
            throw error
        }
        announcement.printListening(repository.status, adminPort: adminPort)
        logger.info("configuration: \(settings.summary)")
        let loading = Task {
            await repository.load()
            announcement.printModels(repository)
        }
        let sending = spans.map { spans in Task { await spans.exporter.run() } }
        try await gracefulShutdown()
        logger.info("draining: not ready, still answering for \(settings.drainDelay.value) seconds")
        service.beginDraining()
        server.beginDraining()
        try? await Task.sleep(for: .seconds(settings.drainDelay.value))
        let end = ContinuousClock.now + .seconds(settings.shutdownTimeout.value)
        await server.stop()
        await pool.shutdown()
        await admin?.stop()
        loading.cancel()
        sending?.cancel()
        await sending?.value
        await spans?.finish(within: end - .now)
        logger.info("stopped")
    }
}

extension ServeSettings {
    var batchOptions: BatchOptions {
        BatchOptions(
            batching: batching.value,
            maxBatchRows: maxBatchRows.value,
            maxBatchSize: maxBatchSize.value,
            targetRun: targetBatchMilliseconds.value > 0
                ? .milliseconds(targetBatchMilliseconds.value) : nil,
            maxQueuedRequests: maxQueuedRequests.value,
            maxQueuedRows: maxQueuedRows.value,
            maxQueueDelay: .seconds(maxQueueDelay.value),
            maxSequencePositions: maxPositions.value,
            maxInlineRun: .microseconds(maxInlineMicroseconds.value)
        )
    }

    var decodingLimits: DecodingLimits {
        DecodingLimits(maxSequences: maxInstances.value, maxPositions: maxPositions.value)
    }

    /// The host without the brackets of an IPv6 address.
    var bareHost: String {
        let host = host.value
        return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    /// Where metrics and control are listened for, if apart from traffic.
    var adminConfiguration: ServerConfiguration? {
        guard let port = listener.adminPort.value.value else { return nil }
        var configuration = ServerConfiguration()
        configuration.host = bareHost
        configuration.port = port
        configuration.maxHeaderBytes = maxHeaderBytes.value
        configuration.maxBodyBytes = min(maxBodyBytes.value, 1 << 20)
        connections.apply(to: &configuration)
        configuration.shutdownTimeout = .seconds(1)
        return configuration
    }

    var serverConfiguration: ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.host = bareHost
        configuration.port = port.value
        configuration.eventLoopThreads = eventLoopThreads.value
        configuration.maxConnections = maxConnections.value
        configuration.maxHeaderBytes = maxHeaderBytes.value
        configuration.maxBodyBytes = maxBodyBytes.value
        connections.apply(to: &configuration)
        listener.apply(to: &configuration)
        configuration.shutdownTimeout = .seconds(shutdownTimeout.value)
        return configuration
    }
}

extension Logger.Level {
    /// Every level's name, the most talkative first.
    static var names: [String] { allCases.map(\.rawValue) }
}
