public import FoundationEssentials
internal import SystemPackage
public import TensorCore

/// A file whose tensors are read one at a time, so that it may be larger than memory.
///
/// ```swift
/// let reader = try SafetensorsReader(contentsOf: file)
/// let mask = try reader.tensor("batch7.mask")
/// ```
public final class SafetensorsReader {
    private let file: URL
    private let descriptor: FileDescriptor
    private let end: Int
    private let entries: [String: SafetensorsHeader.Entry]

    /// Opens a file and reads its header.
    ///
    /// - Parameter file: The file; must not change while tensors are read.
    /// - Throws: ``SafetensorsError``.
    public init(contentsOf file: URL) throws(SafetensorsError) {
        self.file = file
        do {
            descriptor = try .open(file.path, .readOnly, options: .closeOnExec)
        } catch {
            throw .unreadable(file: file.path, reason: "it is not a readable file")
        }
        let byteCount: Int
        do { byteCount = Int(clamping: try descriptor.seek(offset: 0, from: .end)) } catch {
            try? descriptor.close()
            throw .unreadable(file: file.path, reason: "it is not a readable file")
        }
        let first = try Self.bytes(0..<min(8, byteCount), of: descriptor, file)
        let claim = try SafetensorsHeader.claim(in: first)
        let limit = UInt64(SafetensorsFile.maximumHeaderByteCount)
        let beginning = try Self.bytes(0..<min(8 + Int(min(claim, limit)), byteCount), of: descriptor, file)
        let header = try SafetensorsHeader(of: beginning, in: byteCount)
        end = header.end
        entries = Dictionary(header.entries.map { ($0.name, $0) }) { first, _ in first }
    }

    deinit { try? descriptor.close() }

    /// The tensors' names, ascending.
    public var names: [String] { entries.keys.sorted() }

    /// Reads a tensor.
    ///
    /// - Parameter name: One of ``names``.
    /// - Returns: A copy of the elements.
    /// - Throws: ``SafetensorsError/missingProperty(_:tensor:)`` if there is no such tensor,
    ///   ``SafetensorsError/unreadable(file:reason:)`` if the file has become shorter.
    public func tensor(_ name: String) throws(SafetensorsError) -> Tensor {
        guard let entry = entries[name] else { throw .missingProperty("data_offsets", tensor: name) }
        let range = end + entry.range.lowerBound..<end + entry.range.upperBound
        return try entry.tensor(
            in: try Self.bytes(range, of: descriptor, file),
            after: -entry.range.lowerBound
        )
    }

    private static func bytes(
        _ range: Range<Int>,
        of descriptor: FileDescriptor,
        _ file: URL
    ) throws(SafetensorsError) -> Data {
        guard !range.isEmpty else { return Data() }
        var bytes = Data(count: range.count)
        var filled = 0
        do {
            try bytes.withUnsafeMutableBytes { buffer in
                while filled < buffer.count {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                    let count = try descriptor.read(
                        fromAbsoluteOffset: Int64(range.lowerBound + filled),
                        into: rest
                    )
                    guard count > 0 else { return }
                    filled += count
                }
            }
        } catch {
            throw .unreadable(file: file.path, reason: "\(error)")
        }
        guard filled == range.count else {
            throw .unreadable(file: file.path, reason: "it has become shorter while it was read")
        }
        return bytes
    }
}
