internal import FoundationEssentials
import Glibc

/// Where in which file the elements of a tensor are.
struct ExternalDataPlace: Hashable {
    let location: String
    let offset: Int
    /// nil: as many bytes as the tensor needs.
    let length: Int?

    init(entries: [String: String]) throws(ExternalDataFault) {
        guard let location = entries["location"], !location.isEmpty else { throw .missingLocation }
        self.location = location
        func number(_ key: String) throws(ExternalDataFault) -> Int? {
            guard let text = entries[key] else { return nil }
            guard let value = Int(text), value >= 0 else { throw .outOfBounds(location: location) }
            return value
        }
        offset = try number("offset") ?? 0
        length = try number("length")
    }
}

/// The folder of a model file, from which tensors may be read, but from nowhere else.
struct ExternalDataFolder: Hashable, Sendable {
    let path: String

    /// Tensors of so many bytes or more are not read but mapped, so that they need no memory of their own.
    static let mappedByteCount = 16 << 20

    /// The bytes at a place.
    ///
    /// The location must be a relative path without `..`, and the file it names, links followed, must be a
    /// regular file in the folder. The size of the file is checked before memory is allocated.
    func read(_ byteCount: Int, at place: ExternalDataPlace) throws(ExternalDataFault) -> Data {
        let descriptor = try open(place, byteCount: byteCount)
        defer { close(descriptor) }
        return try Self.bytes(byteCount, from: descriptor, at: place)
    }

    /// The bytes at a place as they are in the file; the same rules hold.
    func map(_ byteCount: Int, at place: ExternalDataPlace) throws(ExternalDataFault) -> FileMap {
        let descriptor = try open(place, byteCount: byteCount)
        defer { close(descriptor) }
        guard let map = FileMap(descriptor, offset: place.offset, count: byteCount) else {
            throw .unreadable(location: place.location)
        }
        return map
    }

    private func open(_ place: ExternalDataPlace, byteCount: Int) throws(ExternalDataFault) -> Int32 {
        let location = place.location
        let parts = location.split(separator: "/", omittingEmptySubsequences: false)
        guard !location.hasPrefix("/"), !location.utf8.contains(0), !parts.contains("..") else {
            throw .outsideFolder(location: location)
        }
        guard let root = Self.resolved(path), let file = Self.resolved("\(path)/\(location)") else {
            throw .unreadable(location: location)
        }
        guard file.hasPrefix(root == "/" ? root : root + "/") else {
            throw .outsideFolder(location: location)
        }
        let descriptor = Glibc.open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(location: location) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .unreadable(location: location)
        }
        let (end, overflow) = place.offset.addingReportingOverflow(byteCount)
        guard !overflow, end <= Int(status.st_size) else {
            close(descriptor)
            throw .outOfBounds(location: location)
        }
        return descriptor
    }

    fileprivate static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func bytes(
        _ count: Int,
        from descriptor: Int32,
        at place: ExternalDataPlace
    ) throws(ExternalDataFault) -> Data {
        var data = Data(count: count)
        let complete = data.withUnsafeMutableBytes { target in
            var position = 0
            while position < count {
                guard let start = target.baseAddress else { return false }
                let read = pread(
                    descriptor,
                    start + position,
                    count - position,
                    off_t(place.offset + position)
                )
                if read < 0 && errno == EINTR { continue }
                guard read > 0 else { return false }
                position += read
            }
            return true
        }
        guard complete else { throw .unreadable(location: place.location) }
        return data
    }
}

extension ExternalDataFolder {
    /// Whether two paths name the same folder.
    func isSame(as other: ExternalDataFolder) -> Bool {
        path == other.path || Self.resolved(path).map { $0 == Self.resolved(other.path) } ?? false
    }
}
