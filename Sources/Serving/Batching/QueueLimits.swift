/// How much may wait.
struct QueueLimits: Hashable, Sendable {
    /// The most requests that wait, at least 1.
    var maxRequests: Int
    /// The most rows of all requests that wait, at least 1; a request alone may have more.
    var maxRows: Int

    /// The limit that a request would break.
    enum Fault: Hashable, Sendable {
        case requests(waiting: Int)
        case rows(waiting: Int)
    }

    /// The limit that one request more would break; nil if it may wait.
    func fault(requests: Int, rows: Int, adding more: Int) -> Fault? {
        guard requests < maxRequests else { return .requests(waiting: requests) }
        let (sum, overflow) = rows.addingReportingOverflow(more)
        // An empty queue takes any request, or a large one could never be answered.
        return requests == 0 || (!overflow && sum <= maxRows) ? nil : .rows(waiting: rows)
    }
}
