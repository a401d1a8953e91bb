public import Metrics
import NIOConcurrencyHelpers

/// Keeps all figures of a process and writes them in Prometheus' text format; a backend for swift-metrics.
///
/// Counters become counters, meters and gauges become gauges; recorders that aggregate, and timers (in seconds),
/// become histograms. Labels are taken as they are, so they should follow Prometheus' rules: one prefix, base
/// units, `_total` on counters. Characters Prometheus does not allow become `_`. A name that is in use with
/// another type is not taken: what is recorded under it is lost, but the rest stays readable.
///
/// ```swift
/// let registry = PrometheusRegistry()
/// Counter(label: "seqnorm_runs_total", factory: registry).increment()
/// print(registry.text())
/// ```
public final class PrometheusRegistry: MetricsFactory {
    struct Family {
        let kind: PrometheusKind
        var series: [SeriesKey: any PrometheusSeries] = [:]
    }

    private let families = NIOLockedValueBox<[String: Family]>([:])
    private let descriptions: [String: MetricDescription]

    /// A registry without figures.
    ///
    /// - Parameter descriptions: Help texts and buckets; by default those of all figures of this server.
    public init(descriptions: [MetricDescription] = MetricDescription.server) {
        self.descriptions = Dictionary(descriptions.map { ($0.name, $0) }) { first, _ in first }
    }

    /// All figures in text format 0.0.4, sorted by name and labels.
    ///
    /// - Returns: Ends with a line feed unless empty.
    public func text() -> String {
        let families = families.withLockedValue { $0 }
        var text = PrometheusText()
        for (name, family) in families.sorted(by: { $0.key < $1.key }) where !family.series.isEmpty {
            text.begin(name, kind: family.kind, help: descriptions[name]?.help ?? name)
            for (key, series) in family.series.sorted(by: { $0.key < $1.key }) {
                series.write(name: name, labels: key.labels, to: &text)
            }
        }
        return text.text
    }

    private func series<Series: PrometheusSeries>(
        _ label: String,
        _ dimensions: [(String, String)],
        _ make: (MetricDescription?) -> Series
    ) -> Series {
        let name = PrometheusText.name(label)
        let key = SeriesKey(dimensions)
        return families.withLockedValue { families in
            var family = families[name] ?? Family(kind: Series.kind)
            if let known = family.series[key] as? Series { return known }
            let made = make(descriptions[name])
            guard family.kind == Series.kind else { return made }
            family.series[key] = made
            families[name] = family
            return made
        }
    }

    private func remove(_ handler: AnyObject) {
        families.withLockedValue { families in
            for (name, family) in families {
                guard let key = family.series.first(where: { $0.value === handler })?.key else { continue }
                families[name]?.series[key] = nil
            }
        }
    }

    // MARK: MetricsFactory

    /// A counter.
    ///
    /// - Parameters:
    ///   - label: The name.
    ///   - dimensions: The labels.
    /// - Returns: The one counter of this name and these labels.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions) { _ in PrometheusCounter() }
    }

    /// A counter of fractions.
    ///
    /// - Parameters:
    ///   - label: The name.
    ///   - dimensions: The labels.
    /// - Returns: The one counter of this name and these labels.
    public func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, dimensions) { _ in PrometheusCounter() }
    }

    /// A gauge.
    ///
    /// - Parameters:
    ///   - label: The name.
    ///   - dimensions: The labels.
    /// - Returns: The one gauge of this name and these labels.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions) { _ in PrometheusGauge() }
    }

    /// A histogram, or a gauge if nothing is to be aggregated.
    ///
    /// - Parameters:
    ///   - label: The name.
    ///   - dimensions: The labels.
    ///   - aggregate: Whether the distribution matters, or only the last value.
    /// - Returns: The one figure of this name and these labels.
    public func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        aggregate
            ? series(label, dimensions) {
                PrometheusHistogram(bounds: $0?.buckets ?? MetricDescription.counts)
            }
            : series(label, dimensions) { _ in PrometheusGauge() }
    }

    /// A histogram of seconds.
    ///
    /// - Parameters:
    ///   - label: The name.
    ///   - dimensions: The labels.
    /// - Returns: The one histogram of this name and these labels.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions) { PrometheusHistogram(bounds: $0?.buckets ?? MetricDescription.seconds) }
    }

    /// Forgets a counter.
    ///
    /// - Parameter handler: From this registry.
    public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }

    /// Forgets a counter of fractions.
    ///
    /// - Parameter handler: From this registry.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }

    /// Forgets a gauge.
    ///
    /// - Parameter handler: From this registry.
    public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }

    /// Forgets a histogram or gauge.
    ///
    /// - Parameter handler: From this registry.
    public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }

    /// Forgets a histogram.
    ///
    /// - Parameter handler: From this registry.
    public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }
}
