import Metrics
import NIOConcurrencyHelpers

/// What Prometheus calls the type of a family.
enum PrometheusKind: String {
    case counter, gauge, histogram
}

/// The labels of one series, sorted by name.
struct SeriesKey: Hashable, Comparable {
    struct Label: Hashable, Comparable {
        let name: String
        let value: String

        static func < (a: Label, b: Label) -> Bool { (a.name, a.value) < (b.name, b.value) }
    }

    let labels: [Label]

    init(_ dimensions: [(String, String)]) {
        labels = dimensions.map { Label(name: PrometheusText.name($0.0), value: $0.1) }.sorted()
    }

    static func < (a: SeriesKey, b: SeriesKey) -> Bool { a.labels.lexicographicallyPrecedes(b.labels) }
}

/// One series of a family.
protocol PrometheusSeries: AnyObject, Sendable {
    static var kind: PrometheusKind { get }
    func write(name: String, labels: [SeriesKey.Label], to text: inout PrometheusText)
}

/// A sum that only grows.
final class PrometheusCounter: PrometheusSeries, CounterHandler, FloatingPointCounterHandler {
    static var kind: PrometheusKind { .counter }
    private let sum = AtomicDouble()

    func increment(by amount: Int64) { increment(by: Double(amount)) }
    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        sum.add(amount)
    }
    func reset() { sum.set(0) }

    func write(name: String, labels: [SeriesKey.Label], to text: inout PrometheusText) {
        text.sample(name, labels, sum.value)
    }
}

/// A value that goes up and down.
final class PrometheusGauge: PrometheusSeries, MeterHandler, RecorderHandler {
    static var kind: PrometheusKind { .gauge }
    private let level = AtomicDouble()

    func set(_ newValue: Int64) { set(Double(newValue)) }
    func set(_ newValue: Double) { level.set(newValue) }
    func record(_ newValue: Int64) { set(Double(newValue)) }
    func record(_ newValue: Double) { set(newValue) }
    func increment(by amount: Double) { level.add(amount) }
    func decrement(by amount: Double) { increment(by: -amount) }

    func write(name: String, labels: [SeriesKey.Label], to text: inout PrometheusText) {
        text.sample(name, labels, level.value)
    }
}

/// A distribution over fixed buckets.
final class PrometheusHistogram: PrometheusSeries, RecorderHandler, TimerHandler {
    private struct State {
        var counts: [UInt64]
        var sum = 0.0
    }

    static var kind: PrometheusKind { .histogram }
    private let bounds: [Double]
    private let state: NIOLockedValueBox<State>

    /// Values up to `bounds[0]`, up to `bounds[1]`, and so on; the last bucket has no bound.
    init(bounds: [Double]) {
        self.bounds = bounds.sorted()
        state = NIOLockedValueBox(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) {
        guard !value.isNaN else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLockedValue { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func write(name: String, labels: [SeriesKey.Label], to text: inout PrometheusText) {
        let state = state.withLockedValue { $0 }
        var count: UInt64 = 0
        for (index, bucket) in state.counts.enumerated() {
            count += bucket
            let bound = index < bounds.count ? bounds[index] : .infinity
            let le = SeriesKey.Label(name: "le", value: PrometheusText.number(bound))
            text.sample(name + "_bucket", labels + [le], Double(count))
        }
        text.sample(name + "_sum", labels, state.sum)
        text.sample(name + "_count", labels, Double(count))
    }
}
