import FoundationEssentials
import Glibc

/// Files that a command writes when all of its work is done: all of them, or none.
struct OutputFiles {
    private var drafts: [(draft: String, path: String)] = []

    /// Checks before the work that a file can be written.
    ///
    /// - Parameter paths: Where files are to appear.
    /// - Throws: A ``CommandFault`` if a folder is missing or may not be written to, a path is a folder, a device or a
    ///   pipe, or two are the same.
    static func check(_ paths: [String]) throws(CommandFault) {
        var seen: Set<String> = []
        for path in paths {
            let folder = FilePath.folder(path)
            var isFolder = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder
            else {
                throw CommandFault(place: path, reason: "there is no folder \(folder)")
            }
            guard access(folder, W_OK) == 0 else {
                throw CommandFault(
                    place: path,
                    reason:
                        "the folder cannot be written to: \(String(cString: strerror(errno)).lowercased())"
                )
            }
            if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder {
                throw CommandFault(place: path, reason: "is a folder")
            }
            // A file that appears when it is complete would take the place of a device or a pipe.
            var status = stat()
            if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
                throw CommandFault(place: path, reason: "is a device or a pipe, not a file")
            }
            guard seen.insert(canonical(path)).inserted else {
                throw CommandFault(place: path, reason: "two outputs have this name")
            }
        }
    }

    /// The path with links resolved, to tell whether two are the same.
    static func canonical(_ path: String) -> String {
        let folder = URL(fileURLWithPath: FilePath.folder(path)).resolvingSymlinksInPath().path
        return FilePath.joining(folder, FilePath.name(path))
    }

    /// Writes a file under a hidden name beside its own.
    ///
    /// - Parameters:
    ///   - bytes: The content.
    ///   - path: Where it appears with ``commit()``.
    /// - Throws: A ``CommandFault`` with what the operating system says, such as a full disk.
    mutating func add(_ bytes: Data, at path: String) throws(CommandFault) {
        let name = FilePath.name(path)
        let draft = "\(FilePath.folder(path))/.\(name).\(UInt64.random(in: .min ... .max)).tmp"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.fault(path, errno) }
        drafts.append((draft, path))
        var code: Int32 = Self.writeAll(bytes, to: descriptor)
        if code == 0 && fsync(descriptor) != 0 { code = errno }
        if close(descriptor) != 0 && code == 0 { code = errno }
        guard code == 0 else { throw Self.fault(path, code) }
    }

    /// Puts all files under their names, replacing what was there.
    ///
    /// - Throws: A ``CommandFault`` with what the operating system says.
    mutating func commit() throws(CommandFault) {
        while let (draft, path) = drafts.first {
            guard rename(draft, path) == 0 else { throw Self.fault(path, errno) }
            drafts.removeFirst()
        }
    }

    /// Leaves nothing of what was not committed.
    mutating func discard() {
        for (draft, _) in drafts { unlink(draft) }
        drafts = []
    }

    /// Writes files together.
    ///
    /// - Parameters:
    ///   - files: Contents by path.
    ///   - interruption: A last chance to stop.
    /// - Throws: A ``CommandFault``, ``Interruption/Interrupted``; nothing is left behind.
    static func write(_ files: [(path: String, bytes: Data)], interruption: Interruption) throws {
        var output = OutputFiles()
        defer { output.discard() }
        for (path, bytes) in files { try output.add(bytes, at: path) }
        try interruption.check()
        try output.commit()
    }

    private static func writeAll(_ bytes: Data, to descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes { source in
            var position = 0
            while position < source.count {
                guard let start = source.baseAddress else { return 0 }
                let count = Glibc.write(descriptor, start + position, source.count - position)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return errno }
                position += count
            }
            return 0
        }
    }

    private static func fault(_ path: String, _ code: Int32) -> CommandFault {
        CommandFault(
            place: path,
            reason: "cannot be written: \(String(cString: strerror(code)).lowercased())"
        )
    }
}
