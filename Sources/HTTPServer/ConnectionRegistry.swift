import NIOConcurrencyHelpers
import NIOCore

/// The open connections of a server, and whether it is draining.
final class ConnectionRegistry: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isDraining = false
    }

    private let state = NIOLockedValueBox(State())

    var isDraining: Bool { state.withLockedValue { $0.isDraining } }
    var count: Int { state.withLockedValue { $0.channels.count } }

    func beginDraining() {
        state.withLockedValue { $0.isDraining = true }
    }

    /// Counts a connection until it closes.
    ///
    /// - Returns: How many are open, this one included.
    func add(_ channel: any Channel) -> Int {
        let key = ObjectIdentifier(channel)
        channel.closeFuture.whenComplete { [weak self] _ in
            _ = self?.state.withLockedValue { $0.channels.removeValue(forKey: key) }
        }
        return state.withLockedValue {
            $0.channels[key] = channel
            return $0.channels.count
        }
    }

    /// Breaks all connections off.
    func closeAll() {
        for channel in state.withLockedValue({ Array($0.channels.values) }) {
            channel.close(promise: nil)
        }
    }
}
