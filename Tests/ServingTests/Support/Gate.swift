import Foundation

/// A door that compute threads wait at, blocked, until a test opens it.
///
/// Invariant that makes it `Sendable`: `isOpen` and `arrived` are touched only while `condition` is locked.
final class Gate: @unchecked Sendable {
    private let condition = NSCondition()
    private var isOpen = false
    private var arrived = 0

    /// Blocks the calling thread until the gate is open.
    func pass() {
        condition.lock()
        defer { condition.unlock() }
        arrived += 1
        while !isOpen { condition.wait() }
    }

    /// How many threads have come to the gate so far.
    var arrivals: Int {
        condition.lock()
        defer { condition.unlock() }
        return arrived
    }

    /// Lets everyone through, now and from now on.
    func open() {
        condition.lock()
        defer { condition.unlock() }
        isOpen = true
        condition.broadcast()
    }
}

/// Waits, giving way to other tasks, until something that is bound to come has come.
func until(_ condition: () -> Bool) async {
    while !condition() { await Task.yield() }
}
