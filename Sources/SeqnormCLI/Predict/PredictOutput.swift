import FoundationEssentials
import SystemPackage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file that appears under its name only when it is complete, or standard output.
struct PredictOutput {
    private let path: String?
    private let temporary: String?
    private let descriptor: FileDescriptor

    /// Whether the answers are shown to somebody.
    var isTerminal: Bool { isatty(descriptor.rawValue) == 1 }

    /// Opens the output; `-` is standard output, and a device or pipe is written to directly.
    ///
    /// - Throws: ``PredictError/cannotWrite(_:)``.
    init(path: String) throws(PredictError) {
        guard path != "-" else {
            self.path = nil
            temporary = nil
            descriptor = .standardOutput
            return
        }
        self.path = path
        let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
        let isSpecial = type.map { $0 != .typeRegular && $0 != .typeSymbolicLink } ?? false
        let target = isSpecial ? path : "\(path).\(ProcessInfo.processInfo.processIdentifier).partial"
        do {
            descriptor = try .open(
                target,
                .writeOnly,
                options: isSpecial ? .closeOnExec : [.create, .truncate, .closeOnExec],
                permissions: isSpecial ? nil : FilePermissions(rawValue: 0o666)
            )
        } catch {
            throw .cannotWrite(path)
        }
        temporary = isSpecial ? nil : target
    }

    /// Adds bytes.
    ///
    /// - Throws: ``PredictError/cannotWrite(_:)``, for example when the disk is full.
    func write(_ bytes: [UInt8]) throws(PredictError) {
        do {
            try descriptor.writeAll(bytes)
        } catch {
            throw .cannotWrite(path ?? "standard output")
        }
    }

    /// Puts the complete file under its name, replacing what was there.
    ///
    /// - Throws: ``PredictError/cannotWrite(_:)``.
    func commit() throws(PredictError) {
        guard let path, let temporary else { return }
        guard fsync(descriptor.rawValue) == 0, (try? descriptor.close()) != nil else {
            throw .cannotWrite(path)
        }
        guard rename(temporary, path) == 0 else { throw .cannotWrite(path) }
    }

    /// Leaves nothing behind.
    func discard() {
        guard let temporary else { return }
        try? FileManager.default.removeItem(atPath: temporary)
    }
}
