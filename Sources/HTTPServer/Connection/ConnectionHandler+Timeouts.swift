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

    /// What has not gone out yet.
    private var bufferedBytes: Int {
        isStream ? streamBytes : context?.channel.unwrittenBytes ?? 0
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

    private func dropUnwritten() {
        logger.debug("an answer was not taken in time", metadata: ["request_id": "\(requestHead.requestID)"])
        if !isStream { context?.channel.dropUnwritten() }
    }
}
