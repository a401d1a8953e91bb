import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// The open connections of a server, and how far it is with stopping.
final class ConnectionRegistry: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isClosing = false
        /// Waits for the last connection to close.
        var emptied: EventLoopPromise<Void>?

        /// The promise, if its moment has come; only once.
        mutating func takeEmptied() -> EventLoopPromise<Void>? {
            guard channels.isEmpty else { return nil }
            defer { emptied = nil }
            return emptied
        }
    }

    private let state = NIOLockedValueBox(State())
    private let draining = Atomic(false)

    var isDraining: Bool { draining.load(ordering: .relaxed) }
    var count: Int { state.withLockedValue { $0.channels.count } }

    func beginDraining() {
        draining.store(true, ordering: .relaxed)
    }

    /// Counts a connection until it closes.
    ///
    /// - Returns: How many are open, this one included.
    /// - Throws: `ChannelError.ioOnClosedChannel` if the server is closing its connections.
    func add(_ channel: any Channel) throws -> Int {
        let key = ObjectIdentifier(channel)
        let count: Int? = state.withLockedValue { state in
            guard !state.isClosing else { return nil }
            state.channels[key] = channel
            return state.channels.count
        }
        guard let count else { throw ChannelError.ioOnClosedChannel }
        channel.closeFuture.whenComplete { [self] _ in
            let emptied = state.withLockedValue { state in
                state.channels[key] = nil
                return state.takeEmptied()
            }
            emptied?.succeed()
        }
        return count
    }

    /// Takes no further connection, and asks those that are open to close after the request they are at.
    ///
    /// - Parameter emptied: Succeeds when all are closed.
    func quiesce(emptied: EventLoopPromise<Void>) {
        beginDraining()
        let (channels, isEmpty) = state.withLockedValue { state in
            state.isClosing = true
            state.emptied = emptied
            return (Array(state.channels.values), state.takeEmptied())
        }
        isEmpty?.succeed()
        for channel in channels {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
    }

    /// Breaks all connections off.
    func closeAll() {
        for channel in state.withLockedValue({ Array($0.channels.values) }) {
            channel.close(promise: nil)
        }
    }
}
