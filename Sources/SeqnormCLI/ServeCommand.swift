import ArgumentParser
import Foundation
import HTTPAPI
import HTTPServer
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
        let level = Logger.Level(rawValue: settings.logLevel.value) ?? .info
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let logger = Logger(label: "seqnorm")
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(
                        service: try ServingProcess(settings: settings, logger: logger),
                        successTerminationBehavior: .gracefullyShutdownGroup
                    )
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
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
                warmUpBatchings: [settings.batching.value]
            )
        )
        pool = ComputePool(threads: settings.threads.value)
        service = InferenceService(repository: repository, pool: pool, options: settings.batchOptions)
        let bound = NIOLockedValueBox<Server?>(nil)
        let api = ServingAPI(
            service: service,
            registry: registry,
            options: .init(
                version: Seqnorm.version,
                limits: settings.decodingLimits,
                connectionCount: { bound.withLockedValue { $0?.connectionCount } ?? 0 }
            ),
            logger: logger
        )
        let server = Server(configuration: settings.serverConfiguration, responder: api, logger: logger)
        bound.withLockedValue { $0 = server }
        self.server = server
    }

    func run() async throws {
        let address = try await server.start()
        let announcement = Announcement(host: settings.host.value, port: address.port ?? settings.port.value)
        announcement.printListening(repository.status)
        logger.info("configuration: \(settings.summary)")
        let loading = Task {
            await repository.load()
            announcement.printModels(repository)
        }
        try await gracefulShutdown()
        logger.info("draining: not ready, still answering for \(settings.drainDelay.value) seconds")
        service.beginDraining()
        server.beginDraining()
        try? await Task.sleep(for: .seconds(settings.drainDelay.value))
        await server.stop()
        await pool.shutdown()
        loading.cancel()
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

    var serverConfiguration: ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.host = host.value
        configuration.port = port.value
        configuration.eventLoopThreads = eventLoopThreads.value
        configuration.maxConnections = maxConnections.value
        configuration.maxHeaderBytes = maxHeaderBytes.value
        configuration.maxBodyBytes = maxBodyBytes.value
        connections.apply(to: &configuration)
        configuration.shutdownTimeout = .seconds(shutdownTimeout.value)
        return configuration
    }
}

extension Logger.Level {
    /// Every level's name, the most talkative first.
    static var names: [String] { allCases.map(\.rawValue) }
}
