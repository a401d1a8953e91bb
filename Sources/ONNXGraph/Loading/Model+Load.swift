public import FoundationEssentials
internal import SwiftProtobuf

extension Model {
    /// Decodes a model; its structure is not checked before ``validate()``.
    ///
    /// - Parameters:
    ///   - bytes: The content of a model file.
    ///   - folder: Where files with the elements of tensors may be; nil if nowhere.
    ///   - limits: What the model may ask for; kept in it.
    /// - Throws: ``ModelError/undecodable(_:)``.
    public init(
        serialized bytes: Data,
        folder: URL? = nil,
        limits: ModelLimits = .standard
    ) throws(ModelError) {
        guard !bytes.isEmpty else { throw .undecodable(.empty) }
        var options = BinaryDecodingOptions()
        // Three messages a subgraph, and those of the deepest one's nodes.
        options.messageDepthLimit = 3 * min(limits.nestingDepth, ModelLimits.deepestNesting) + 24
        do {
            let proto = try ProtoModel(serializedBytes: bytes, options: options)
            self.init(proto: proto, folder: folder.map { ExternalDataFolder(path: $0.path) }, limits: limits)
        } catch let error as BinaryDecodingError {
            throw .undecodable(DecodingFault(error))
        } catch {
            throw .undecodable(.malformed)
        }
    }

    /// Reads and decodes a model file; its structure is not checked before ``validate()``.
    ///
    /// - Parameters:
    ///   - file: The model file; tensors may be in other files of its folder.
    ///   - limits: What the model may ask for; kept in it.
    /// - Throws: ``ModelError/unreadable(file:reason:)`` or ``ModelError/undecodable(_:)``.
    public init(contentsOf file: URL, limits: ModelLimits = .standard) throws(ModelError) {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: file)
        } catch {
            throw .unreadable(file: file.path, reason: Self.reason(error))
        }
        try self.init(serialized: bytes, folder: file.deletingLastPathComponent(), limits: limits)
    }

    private static func reason(_ error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile?: "there is no such file"
        case .fileReadNoPermission?: "permission denied"
        default: "it is not a readable file"
        }
    }
}

extension DecodingFault {
    init(_ error: BinaryDecodingError) {
        switch error {
        case .truncated: self = .truncated
        case .invalidUTF8: self = .invalidUTF8
        case .messageDepthLimit: self = .nestedTooDeep
        default: self = .malformed
        }
    }
}
