import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the operating system says of an address, in words for people.
enum SocketFault {
    /// The reason alone, `connection refused`, without the names of system calls.
    ///
    /// - Parameter error: What NIO threw.
    /// - Returns: One line.
    static func reason(of error: any Error) -> String {
        switch error {
        case let error as IOError:
            String(cString: strerror(error.errnoCode)).lowercased()
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { reason(of: $0.error) } ?? "the host is unknown"
        case is SocketAddressError.UnknownHost, SocketAddressError.unknown:
            "the host is unknown"
        case SocketAddressError.unixDomainSocketPathTooLong:
            "the path is too long for a socket"
        case let reason as UnixSocketFile.Reason:
            reason.text
        case ChannelError.connectTimeout:
            "no connection in time"
        default:
            "\(error)"
        }
    }
}
