import NIOCore

/// The one deadline of a connection; moving it costs nothing as long as it moves to later.
///
/// Lives on the connection's event loop.
final class ConnectionTimer {
    private let eventLoop: any EventLoop
    private let expired: () -> Void
    private var deadline: NIODeadline?
    private var scheduled: (task: Scheduled<Void>, at: NIODeadline)?

    init(eventLoop: any EventLoop, expired: @escaping () -> Void) {
        self.eventLoop = eventLoop
        self.expired = expired
    }

    /// Calls `expired` after `timeout`, unless set or cleared before.
    func set(_ timeout: TimeAmount) {
        let deadline = eventLoop.now + timeout
        self.deadline = deadline
        if let scheduled, scheduled.at <= deadline { return }
        schedule(at: deadline)
    }

    /// Forgets the deadline; what is scheduled finds that out.
    func clear() {
        deadline = nil
    }

    /// Ends the timer for good.
    func cancel() {
        deadline = nil
        scheduled?.task.cancel()
        scheduled = nil
    }

    private func schedule(at moment: NIODeadline) {
        scheduled?.task.cancel()
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        scheduled = (eventLoop.scheduleTask(deadline: moment) { bound.value.fire() }, moment)
    }

    private func fire() {
        scheduled = nil
        guard let deadline else { return }
        guard deadline <= eventLoop.now else {
            schedule(at: deadline)
            return
        }
        self.deadline = nil
        expired()
    }
}
