/// Who has to be answered by when; a pure value without a clock.
struct DeadlineTable<ID: Hashable & Sendable, Value: Sendable>: Sendable {
    typealias Instant = ContinuousClock.Instant

    private var entries: [ID: (deadline: Instant, value: Value)] = [:]
    /// No deadline is earlier than this; nil if there is none.
    ///
    /// Removing entries may leave it too early, which costs one look at the wrong time.
    private(set) var earliest: Instant?

    var count: Int { entries.count }

    /// Adds an entry, or moves it.
    mutating func insert(_ value: Value, id: ID, deadline: Instant) {
        entries[id] = (deadline, value)
        earliest = min(earliest ?? deadline, deadline)
    }

    /// Forgets an entry.
    mutating func remove(_ id: ID) {
        entries[id] = nil
        if entries.isEmpty { earliest = nil }
    }

    /// Takes out those whose deadline has come.
    ///
    /// - Complexity: O(entries) if any may be due, else O(1).
    mutating func expire(now: Instant) -> [Value] {
        guard let earliest, earliest <= now else { return [] }
        var due: [(id: ID, value: Value)] = []
        var next: Instant?
        for (id, entry) in entries {
            if entry.deadline <= now {
                due.append((id, entry.value))
            } else {
                next = min(next ?? entry.deadline, entry.deadline)
            }
        }
        for (id, _) in due { entries[id] = nil }
        self.earliest = next
        return due.map(\.value)
    }
}
