public import FoundationEssentials
public import TensorCore

/// Named tensors and some text about them, in the safetensors format.
///
/// A file is the length of its header in eight bytes, the header in JSON, and the elements in little-endian order.
///
/// ```swift
/// var file = SafetensorsFile(tensors: ["block1.bn.mean": mean], metadata: ["estimator": "pooled"])
/// let bytes = try file.serialized()
/// try SafetensorsFile(serialized: bytes) == file  // true
/// ```
public struct SafetensorsFile: Sendable, Equatable {
    /// The longest header that is read, in bytes; the format's own limit.
    public static let maximumHeaderByteCount = 100_000_000
    /// The header's key for ``metadata``, which no tensor can have for a name.
    static let metadataKey = "__metadata__"

    /// The tensors by name.
    public var tensors: [String: Tensor]
    /// What the file says of itself.
    public var metadata: [String: String]

    /// A file's content.
    ///
    /// - Parameters:
    ///   - tensors: The tensors by name.
    ///   - metadata: What the file says of itself.
    public init(tensors: [String: Tensor], metadata: [String: String] = [:]) {
        self.tensors = tensors
        self.metadata = metadata
    }

    /// Decodes a file.
    ///
    /// Everything is checked before memory for a tensor is taken: offsets must follow each other without overlap or hole,
    /// and shapes must agree with the bytes that are there.
    ///
    /// - Parameter bytes: The content of a file.
    /// - Throws: ``SafetensorsError``.
    /// - Complexity: O(bytes).
    public init(serialized bytes: Data) throws(SafetensorsError) {
        let header = try SafetensorsHeader(of: bytes, in: bytes.count)
        metadata = header.metadata
        tensors = [:]
        tensors.reserveCapacity(header.entries.count)
        for entry in header.entries { tensors[entry.name] = try entry.tensor(in: bytes, after: header.end) }
    }

    /// Reads and decodes a file.
    ///
    /// - Parameter file: The file.
    /// - Throws: ``SafetensorsError``.
    public init(contentsOf file: URL) throws(SafetensorsError) {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: file)
        } catch {
            throw .unreadable(file: file.path, reason: Self.reason(error))
        }
        try self.init(serialized: bytes)
    }

    private static func reason(_ error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile?: "there is no such file"
        case .fileReadNoPermission?: "permission denied"
        default: "it is not a readable file"
        }
    }

    /// Encodes the file: the same bytes for equal content.
    ///
    /// Wide elements come first, so that every tensor is aligned to its elements; within a width, names ascend.
    ///
    /// - Returns: The content of a file.
    /// - Throws: ``SafetensorsError/reservedName(_:)``.
    /// - Complexity: O(bytes).
    public func serialized() throws(SafetensorsError) -> Data {
        guard tensors[Self.metadataKey] == nil else { throw .reservedName(Self.metadataKey) }
        let ordered = tensors.sorted { a, b in
            let widths = (a.value.elementType.byteCount, b.value.elementType.byteCount)
            return widths.0 == widths.1 ? a.key < b.key : widths.0 > widths.1
        }
        var header = HeaderWriter()
        header.write(metadata: metadata)
        var position = 0
        for (name, tensor) in ordered {
            header.write(name, tensor, at: position)
            position += tensor.byteCount
        }
        var data = header.finished()
        data.reserveCapacity(data.count + position)
        for (_, tensor) in ordered { tensor.withBytes { data.append(contentsOf: $0) } }
        return data
    }
}
