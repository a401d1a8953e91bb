import Dispatch
import NIOConcurrencyHelpers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// SIGINT and SIGTERM, noticed at the next safe place instead of ending the process at once.
///
/// The first signal is kept for ``check()``; a second one ends the process as it would without this.
final class Interruption: Sendable {
    /// A signal came: nothing was written.
    struct Interrupted: Error, Equatable, CustomStringConvertible {
        /// The signal's number.
        let signal: Int32

        /// 128 and the signal's number, as shells have it: 130 after Ctrl-C.
        var exitCode: Int32 { 128 + signal }

        var description: String { "interrupted; nothing was written" }
    }

    private let received = NIOLockedValueBox<Int32?>(nil)

    /// Watches for nothing until ``watch()``.
    init() {}

    /// Begins to watch; a signal that comes once this has returned is kept.
    func watch() {
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [received] in
                received.withLockedValue { $0 = $0 ?? number }
                signal(SIGINT, SIG_DFL)
                signal(SIGTERM, SIG_DFL)
            }
            // Until the source is registered, which another thread does, a signal would be ignored and lost.
            let isRegistered = DispatchSemaphore(value: 0)
            source.setRegistrationHandler { isRegistered.signal() }
            source.resume()
            isRegistered.wait()
            // A source that nobody holds is cancelled; these watch as long as the process lives.
            _ = Unmanaged.passRetained(source as AnyObject)
        }
    }

    /// Goes on if no signal came.
    ///
    /// - Throws: ``Interrupted``.
    func check() throws(Interrupted) {
        if let signal = received.withLockedValue({ $0 }) { throw Interrupted(signal: signal) }
    }
}
