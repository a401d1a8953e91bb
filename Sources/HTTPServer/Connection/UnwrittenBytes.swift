import FoundationEssentials
import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What was written to a connection and the kernel has not taken yet; not for streams of HTTP/2.
extension Channel {
    var unwrittenBytes: Int {
        (try? syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Makes the close that follows a reset: the client does not take what is left, and the kernel must not keep it.
    func dropUnwritten() {
        let provider = self as? any SocketOptionProvider
        _ = provider?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
    }
}
