import FoundationEssentials
import SystemPackage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file of data that is read in any order; what cannot be (standard input, a pipe) is copied to a temporary file
/// first, which has no name and goes with the process.
final class DataFile {
    /// The name for messages.
    let name: String
    /// The size in bytes.
    let byteCount: Int
    private let descriptor: Int32

    /// Opens a file; `-` is standard input.
    ///
    /// - Throws: A ``CommandFault`` with what the operating system says.
    init(path: String, interruption: Interruption) throws {
        name = path == "-" ? "standard input" : path
        let source = path == "-" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw Self.fault(name) }
        var information = stat()
        guard fstat(source, &information) == 0 else {
            defer { close(source) }
            throw Self.fault(name)
        }
        switch information.st_mode & S_IFMT {
        case S_IFREG where path != "-":
            descriptor = source
            byteCount = Int(information.st_size)
        case S_IFDIR:
            close(source)
            throw CommandFault(place: name, reason: "is a folder")
        default:
            defer { close(source) }
            (descriptor, byteCount) = try Self.spool(source, name: name, interruption: interruption)
        }
    }

    deinit { close(descriptor) }

    /// Reads bytes at a place.
    ///
    /// - Parameters:
    ///   - offset: Where, from the beginning of the file.
    ///   - count: How many at most.
    /// - Returns: Fewer bytes only where the file ends.
    /// - Throws: A ``CommandFault`` with what the operating system says.
    func bytes(at offset: Int, count: Int) throws(CommandFault) -> [UInt8] {
        var failure: Int32?
        let bytes = [UInt8](unsafeUninitializedCapacity: max(count, 0)) { buffer, filled in
            while filled < buffer.count {
                guard let start = buffer.baseAddress else { return }
                let done = pread(descriptor, start + filled, buffer.count - filled, off_t(offset + filled))
                if done < 0 && errno == EINTR { continue }
                if done < 0 { failure = errno }
                guard done > 0 else { return }
                filled += done
            }
        }
        if let failure { throw Self.fault(name, failure) }
        return bytes
    }

    private static func spool(
        _ source: Int32,
        name: String,
        interruption: Interruption
    ) throws -> (Int32, Int) {
        let folder = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        let copy = open(folder, O_TMPFILE_FLAG | O_RDWR | O_CLOEXEC, 0o600)
        guard copy >= 0 else { throw fault(folder) }
        do {
            let file = FileDescriptor(rawValue: copy)
            var total = 0
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                try interruption.check()
                // Waits in turns, so that a signal is noticed while nothing comes.
                var waiting = pollfd(fd: source, events: Int16(POLLIN), revents: 0)
                guard poll(&waiting, 1, 200) != 0 else { continue }
                let count = buffer.withUnsafeMutableBytes { read(source, $0.baseAddress, $0.count) }
                if count < 0 && errno == EINTR { continue }
                guard count >= 0 else { throw fault(name) }
                if count == 0 { return (copy, total) }
                do { try file.writeAll(buffer[..<count]) } catch { throw fault(folder) }
                total += count
            }
        } catch {
            close(copy)
            throw error
        }
    }

    private static func fault(_ name: String, _ code: Int32 = errno) -> CommandFault {
        CommandFault(place: name, reason: "cannot be read: \(String(cString: strerror(code)).lowercased())")
    }
}

/// `O_TMPFILE` of Linux, a macro that Swift does not import: a file without a name.
private let O_TMPFILE_FLAG: Int32 = 0o20_000_000 | O_DIRECTORY
