import CoreMetrics
import NIOConcurrencyHelpers

/// A metrics backend that keeps every value, under the label and the dimensions' values.
final class RecordingMetrics: MetricsFactory, Sendable {
    final class Series: CounterHandler, RecorderHandler, TimerHandler {
        let values = NIOLockedValueBox<[Double]>([])

        func increment(by amount: Int64) { add(Double(amount)) }
        func reset() {}
        func record(_ value: Int64) { add(Double(value)) }
        func record(_ value: Double) { add(value) }
        func recordNanoseconds(_ duration: Int64) { add(Double(duration) / 1e9) }

        private func add(_ value: Double) { values.withLockedValue { $0.append(value) } }
    }

    private let series = NIOLockedValueBox<[String: Series]>([:])

    /// All values recorded under `label{value,value}`, in order.
    func values(_ name: String) -> [Double] {
        series.withLockedValue { $0[name] }?.values.withLockedValue { $0 } ?? []
    }

    /// The names of all series.
    var names: Set<String> { Set(series.withLockedValue { $0.keys }) }

    private func make(_ label: String, _ dimensions: [(String, String)]) -> Series {
        let values = dimensions.map(\.1).joined(separator: ",")
        return series.withLockedValue { series in
            let made = Series()
            series[dimensions.isEmpty ? label : "\(label){\(values)}"] = made
            return made
        }
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        make(label, dimensions)
    }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        make(label, dimensions)
    }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        make(label, dimensions)
    }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}
