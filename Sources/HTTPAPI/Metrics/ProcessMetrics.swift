import FoundationEssentials
import Metrics
import NIOConcurrencyHelpers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The figures every Prometheus client gives of its process, from `/proc`; nothing where there is none.
struct ProcessMetrics: Sendable {
    private let memory: Gauge
    private let descriptors: Gauge
    private let processor: FloatingPointCounter
    private let countedSeconds = NIOLockedValueBox(0.0)
    private let started: Gauge

    init(factory: any MetricsFactory) {
        memory = Gauge(label: "process_resident_memory_bytes", factory: factory)
        descriptors = Gauge(label: "process_open_fds", factory: factory)
        processor = FloatingPointCounter(label: "process_cpu_seconds_total", factory: factory)
        started = Gauge(label: "process_start_time_seconds", factory: factory)
        started.record(Date().timeIntervalSince1970)
    }

    /// Reads the figures of now.
    func update() {
        if let pages = Self.fields(of: "/proc/self/statm").dropFirst().first.flatMap(Double.init) {
            memory.record(pages * Double(sysconf(Int32(_SC_PAGESIZE))))
        }
        if let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
            descriptors.record(open)
        }
        var usage = timespec()
        if clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &usage) == 0 {
            let seconds = Double(usage.tv_sec) + Double(usage.tv_nsec) / 1e9
            let more = countedSeconds.withLockedValue { counted in
                defer { counted = seconds }
                return seconds - counted
            }
            processor.increment(by: more)
        }
    }

    private static func fields(of path: String) -> [Substring] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
        return text.split(separator: " ")
    }
}
