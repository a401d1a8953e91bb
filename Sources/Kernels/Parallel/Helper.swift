internal import CKernels
internal import Dispatch
internal import Synchronization

/// A body that some threads call once each, and who waits for them.
final class Call: Sendable {
    private nonisolated(unsafe) let body: UnsafePointer<(Bool) -> Void>
    private let left: Atomic<Int>
    private let done = DispatchSemaphore(value: 0)

    /// A call of a body that stays where it is until ``wait()`` has returned.
    init(_ body: UnsafePointer<(Bool) -> Void>, helpers: Int) {
        self.body = body
        left = Atomic(helpers)
    }

    /// Calls the body for a helper.
    ///
    /// - Parameter leaving: Called once that is done, before anyone hears of it.
    func make(leaving: () -> Void = {}) {
        enter()
        leaving()
        guard left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
        done.signal()
    }

    /// By itself, so that nothing of the body is held when the call counts as made.
    @inline(never)
    private func enter() { body.pointee(true) }

    /// Returns when all helpers have made their calls: at first by looking, then asleep.
    func wait() {
        Spinning.wait { left.load(ordering: .acquiring) == 0 }
        done.wait()
    }
}

/// Waiting awake, for what is about to happen.
enum Spinning {
    /// How long it is waited, in nanoseconds: about as long as waking a thread takes, and its going to sleep.
    private static let linger: UInt64 = 100_000
    /// Looks between two at the clock.
    private static let looks = 64

    /// Looks until the condition holds or the time is over.
    static func wait(until holds: () -> Bool) {
        let end = DispatchTime.now().uptimeNanoseconds + linger
        repeat {
            for _ in 0..<looks {
                if holds() { return }
                sn_pause()
            }
        } while DispatchTime.now().uptimeNanoseconds < end
    }
}

/// A thread that makes calls for others.
final class Helper: Sendable {
    private static let awake: UInt = 0
    private static let asleep: UInt = 1

    /// ``awake``, ``asleep``, or the address of a call that is retained for it.
    private let mailbox = Atomic(Helper.awake)
    private let wake = DispatchSemaphore(value: 0)
    private let threads: HelperThreads

    private init(in threads: HelperThreads) { self.threads = threads }

    /// A new thread; nil if the system gives no more.
    static func start(in threads: HelperThreads) -> Helper? {
        let helper = Helper(in: threads)
        return ComputeThread.start(name: "helper") { helper.work() } ? helper : nil
    }

    /// Makes a call on this thread, which has nothing to do.
    func join(_ call: Call) {
        let address = UInt(bitPattern: Unmanaged.passRetained(call).toOpaque())
        if mailbox.exchange(address, ordering: .acquiringAndReleasing) == Self.asleep { wake.signal() }
    }

    private func work() {
        while true {
            next().make { threads.give(self) }
        }
    }

    /// The next call, waited for.
    private func next() -> Call {
        Spinning.wait { mailbox.load(ordering: .relaxed) != Self.awake }
        let (slept, _) = mailbox.compareExchange(
            expected: Self.awake,
            desired: Self.asleep,
            ordering: .acquiringAndReleasing
        )
        if slept { wake.wait() }
        let address = mailbox.exchange(Self.awake, ordering: .acquiringAndReleasing)
        guard let call = UnsafeRawPointer(bitPattern: address) else {
            preconditionFailure("woken for nothing")
        }
        return Unmanaged<Call>.fromOpaque(call).takeRetainedValue()
    }
}
