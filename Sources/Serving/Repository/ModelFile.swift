import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Reads files of a limited size, and only files.
enum ModelFile {
    /// Why a file was not read.
    enum Fault: Error, Hashable, CustomStringConvertible {
        case unreadable(file: String)
        case notAFile(file: String)
        case tooLarge(file: String, limitBytes: Int)

        /// The file's name and the rule; no path.
        var description: String {
            switch self {
            case .unreadable(let file): "\(file) cannot be read"
            case .notAFile(let file): "\(file) is not a regular file"
            case .tooLarge(let file, let limit): "\(file) is over the limit of \(limit) bytes"
            }
        }
    }

    /// The content of a file.
    ///
    /// - Parameters:
    ///   - file: A regular file, or a link to one; a pipe or a device is refused, as reading it could block.
    ///   - maxBytes: A larger file is refused before it is read.
    /// - Returns: All its bytes.
    /// - Throws: A ``Fault``.
    static func read(_ file: URL, maxBytes: Int) throws(Fault) -> Data {
        let name = file.lastPathComponent
        let target = file.resolvingSymlinksInPath()
        var status = stat()
        guard stat(target.path, &status) == 0 else {
            throw .unreadable(file: name)
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(file: name) }
        guard Int(status.st_size) <= maxBytes else { throw .tooLarge(file: name, limitBytes: maxBytes) }
        guard let bytes = try? Data(contentsOf: target) else { throw .unreadable(file: name) }
        guard bytes.count <= maxBytes else { throw .tooLarge(file: name, limitBytes: maxBytes) }
        return bytes
    }
}
