import Logging
import Metrics
import NIOPosix
import Telemetry

/// What sends spans, from the start of the server until its last answer; nothing at all if no collector is named.
struct SpanExport: Sendable {
    /// Gets the spans.
    let exporter: SpanExporter
    private let client: CollectorClient
    private let group: MultiThreadedEventLoopGroup

    /// The longest that stopping may take, however long requests may.
    private static let longestFlush = Duration.seconds(5)

    /// What sends spans, with a thread of its own; nil if no collector is named.
    ///
    /// - Parameters:
    ///   - settings: Where to, how much and how often.
    ///   - metrics: Where figures go.
    ///   - logger: Hears when the collector takes nothing.
    /// - Throws: `CollectorClient.FileFault`.
    init?(_ settings: TracingSettings, metrics: any MetricsFactory, logger: Logger) throws {
        guard let url = settings.url else { return nil }
        var options = SpanExporter.Options(
            resource: SpanResource(
                serviceName: settings.otlpServiceName.value,
                serviceVersion: Seqnorm.version
            )
        )
        options.sampling = SamplingRatio(settings.otlpSamplingRatio.value)
        options.interval = .seconds(settings.otlpInterval.value)
        options.timeout = .seconds(settings.otlpTimeout.value)
        options.maxQueuedSpans = settings.otlpMaxQueuedSpans.value
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        client = try CollectorClient(
            url: url,
            headers: settings.headers,
            compression: settings.otlpCompression.value,
            authorities: settings.otlpCa.value.value,
            group: group
        )
        exporter = SpanExporter(options: options, transport: client, metrics: metrics, logger: logger)
    }

    /// Sends what waits, once, and closes the connection.
    ///
    /// - Parameter limit: How long it may take, but for a second that it gets in any case.
    func finish(within limit: Duration) async {
        await exporter.flush(within: max(.seconds(1), min(limit, Self.longestFlush)))
        await client.close()
        try? await group.shutdownGracefully()
    }
}
