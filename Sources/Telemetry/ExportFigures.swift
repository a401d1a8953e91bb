import Logging
import Metrics
import NIOConcurrencyHelpers

/// How sending goes, for people: counters, and one line when it begins to fail and when it works again.
final class ExportFigures: Sendable {
    /// Why a span was not sent.
    enum Reason: String, CaseIterable, Sendable {
        /// Too many waited.
        case queueFull = "queue_full"
        /// The collector could not be reached, or did not answer, or asked too often to come back.
        case failed
        /// The collector does not want it.
        case refused
    }

    private let sent: Counter
    private let lost: [Reason: Counter]
    private let logger: Logger
    private let isFailing = NIOLockedValueBox(false)

    init(factory: any MetricsFactory, logger: Logger) {
        self.logger = logger
        sent = Counter(label: "seqnorm_spans_exported_total", factory: factory)
        sent.increment(by: 0)
        lost = Dictionary(
            uniqueKeysWithValues: Reason.allCases.map { reason in
                let dimensions = [("reason", reason.rawValue)]
                return (
                    reason,
                    Counter(label: "seqnorm_spans_dropped_total", dimensions: dimensions, factory: factory)
                )
            }
        )
    }

    func exported(_ count: Int) {
        if count > 0 { sent.increment(by: count) }
        let wasFailing = isFailing.withLockedValue { isFailing in
            defer { isFailing = false }
            return isFailing
        }
        if wasFailing { logger.info("the collector takes spans again") }
    }

    func dropped(_ count: Int, _ reason: Reason) {
        if count > 0 { lost[reason]?.increment(by: count) }
    }

    func failed(_ reason: String) {
        let wasFailing = isFailing.withLockedValue { isFailing in
            defer { isFailing = true }
            return isFailing
        }
        if !wasFailing { logger.warning("the collector takes no spans: \(reason)") }
    }
}
