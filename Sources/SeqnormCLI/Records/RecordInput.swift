import SystemPackage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file or standard input, read in pieces.
struct RecordInput {
    /// The name for messages.
    let name: String
    /// The size in bytes; nil if it is not known.
    let byteCount: Int?
    private let file: OpenFile
    /// Small, as what was read is what the progress shows.
    private static let pieceBytes = 1 << 14

    /// Opens a file; `-` is standard input.
    ///
    /// - Throws: A ``CommandFault`` of the file.
    init(path: String) throws(CommandFault) {
        guard path != "-" else {
            name = "standard input"
            file = OpenFile(.standardInput)
            byteCount = nil
            return
        }
        var status = stat()
        guard let descriptor = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else {
            throw CommandFault(place: path, reason: "cannot be read")
        }
        file = OpenFile(descriptor)
        guard fstat(descriptor.rawValue, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
            throw CommandFault(place: path, reason: "cannot be read")
        }
        name = path
        byteCount = status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    /// The next piece; empty at the end.
    ///
    /// - Throws: A ``CommandFault`` of the file.
    func nextPiece() throws(CommandFault) -> [UInt8] {
        do {
            return try [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { buffer, count in
                count = try file.descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
        } catch {
            throw CommandFault(place: name, reason: "cannot be read")
        }
    }
}

/// A descriptor that is closed with its last user, unless it is a standard one.
private final class OpenFile {
    let descriptor: FileDescriptor

    init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

    deinit {
        if descriptor != .standardInput { try? descriptor.close() }
    }
}
