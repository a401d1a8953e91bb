public import Foundation
internal import SwiftProtobuf

extension Model {
    /// The most messages within messages that a file may have; enough for ``maximumSubgraphDepth``.
    static let messageDepthLimit = 3 * maximumSubgraphDepth + 24

    /// Decodes a model; its structure is not checked before ``validate()``.
    ///
    /// - Parameters:
    ///   - bytes: The content of a model file.
    ///   - folder: Where files with the elements of tensors may be; nil if nowhere.
    /// - Throws: ``ModelError/undecodable(_:)``.
    public init(serialized bytes: Data, folder: URL? = nil) throws(ModelError) {
        guard !bytes.isEmpty else { throw .undecodable(.empty) }
        var options = BinaryDecodingOptions()
        options.messageDepthLimit = Self.messageDepthLimit
        do {
            let proto = try ProtoModel(serializedBytes: bytes, options: options)
            self.init(proto: proto, folder: folder.map { ExternalDataFolder(path: $0.path) })
        } catch let error as BinaryDecodingError {
            throw .undecodable(DecodingFault(error))
        } catch {
            throw .undecodable(.malformed)
        }
    }

    /// Reads and decodes a model file; its structure is not checked before ``validate()``.
    ///
    /// - Parameter file: The model file; tensors may be in other files of its folder.
    /// - Throws: ``ModelError/unreadable(file:reason:)`` or ``ModelError/undecodable(_:)``.
    public init(contentsOf file: URL) throws(ModelError) {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: file)
        } catch {
            throw .unreadable(file: file.path, reason: Self.reason(error))
        }
        try self.init(serialized: bytes, folder: file.deletingLastPathComponent())
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
