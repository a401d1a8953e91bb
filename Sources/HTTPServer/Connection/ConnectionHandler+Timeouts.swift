import Foundation
import Logging
import NIOCore

/// What happens when the time of a phase is up.
///
/// The head of a request must be whole in its time. Bodies and answers may be long, so their clients only have to
/// keep moving: ``leastTransfer`` in every span, which a slow line can and a client that holds the connection for
/// nothing does not.
extension ConnectionHandler {
    /// The fewest bytes that a client must send or take in the time of a body or an answer, unless it ends.
    static let leastTransfer = 64 << 10

    /// Begins the time of a body, or of its next part.
    func expectBody() {
        transferMark = arriving?.bytes ?? 0
        timer?.set(TimeAmount(configuration.bodyTimeout))
    }

    /// Begins the time in which the client has to take what is written, and `more` bytes that will be at once.
    func expectWrite(_ more: Int = 0) {
        transferMark = bufferedBytes + more
        timer?.set(TimeAmount(configuration.writeTimeout))
    }

    /// What the kernel has not taken yet.
    private var bufferedBytes: Int {
        (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    func timedOut() {
        switch phase {
        case .closed: break
        case .receiving:
            guard let arriving else { return close() }
            guard arriving.isBody else { return reject(.requestTimeout(limit: configuration.headerTimeout)) }
            guard arriving.bytes - transferMark >= Self.leastTransfer else {
                return reject(.bodyTimeout(limit: configuration.bodyTimeout))
            }
            expectBody()
        case .handling, .flushing, .lingering:
            let left = bufferedBytes
            guard left == 0 || transferMark - left < Self.leastTransfer else { return expectWrite() }
            if left > 0 { dropUnwritten() }
            close()
        }
    }

    /// Makes the close that follows a reset: the client does not take what is left, and the kernel must not keep it.
    private func dropUnwritten() {
        logger.debug("an answer was not taken in time", metadata: ["request_id": "\(requestHead.requestID)"])
        let provider = context?.channel as? any SocketOptionProvider
        _ = provider?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
    }
}
