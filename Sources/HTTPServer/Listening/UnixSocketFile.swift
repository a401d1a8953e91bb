import Glibc
import NIOCore

/// The file of a Unix domain socket: made by `bind`, left behind by a process that was killed.
struct UnixSocketFile: Sendable {
    let path: String

    /// Removes what a server that has ended left behind.
    ///
    /// - Throws: The reason in words if a server listens there, or something that is no socket is there.
    func clear() throws(Reason) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw Reason(text: "a file that is no socket is there")
        }
        guard !isAlive() else { throw Reason(text: "address already in use") }
        unlink(path)
    }

    /// Why a socket cannot be made.
    struct Reason: Error {
        let text: String
    }

    /// Removes the file if it is still the one that was bound.
    func remove(_ bound: FileStamp?) {
        guard let bound, FileStamp(path) == bound else { return }
        unlink(path)
    }

    /// Whether a server takes connections there: one that has ended refuses them.
    private func isAlive() -> Bool {
        guard let address = try? SocketAddress(unixDomainSocketPath: path) else { return false }
        #if canImport(Darwin)
            let kind = SOCK_STREAM
        #else
            let kind = Int32(SOCK_STREAM.rawValue)
        #endif
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { return true }
        defer { Glibc.close(descriptor) }
        let status = address.withSockAddr { pointer, length in
            connect(descriptor, pointer, socklen_t(length))
        }
        return status == 0 || errno != ECONNREFUSED
    }
}
