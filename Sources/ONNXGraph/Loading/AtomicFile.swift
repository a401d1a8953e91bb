public import FoundationEssentials
import Glibc

/// Files that appear whole or not at all, even if the machine stops in between.
public enum AtomicFile {
    /// Writes a file: into a new one beside it, which then takes its place.
    ///
    /// - Parameters:
    ///   - bytes: The file's content.
    ///   - path: The file; replaced if it exists. Its folder must exist.
    /// - Throws: ``ModelError/unwritable(file:reason:)``; a file that was there is as before then.
    public static func write(_ bytes: Data, to path: String) throws(ModelError) {
        let slash = path.lastIndex(of: "/")
        let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
        let folder = slash.map { path[...$0] } ?? "./"
        let draft = "\(folder).\(name).\(UInt64.random(in: .min ... .max)).tmp"

        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(path) }
        var written = writeAll(bytes, to: descriptor) && fsync(descriptor) == 0
        var code = errno
        if close(descriptor) != 0 && written { (written, code) = (false, errno) }
        if written && rename(draft, path) != 0 { (written, code) = (false, errno) }
        guard written else {
            unlink(draft)
            throw failure(path, code)
        }
        synchronizeFolder(String(folder))
    }

    private static func writeAll(_ bytes: Data, to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { source in
            var position = 0
            while position < source.count {
                guard let start = source.baseAddress else { return false }
                let count = Glibc.write(descriptor, start + position, source.count - position)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                position += count
            }
            return true
        }
    }

    /// Makes the new name durable; the file's content already is, so a failure here loses nothing.
    private static func synchronizeFolder(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func failure(_ path: String, _ code: Int32 = errno) -> ModelError {
        .unwritable(file: path, reason: String(cString: strerror(code)))
    }
}
