public import FoundationEssentials
internal import SwiftProtobuf

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension Model {
    /// Encodes the model.
    ///
    /// - Returns: The content of a model file; decoded, it gives an equal model.
    /// - Throws: ``ModelError/unencodable``.
    public func serialized() throws(ModelError) -> Data {
        do {
            return try proto.serializedBytes()
        } catch {
            throw .unencodable
        }
    }

    /// Writes the model to a file, whole or not at all: into a new file beside it that then takes its place.
    ///
    /// - Parameter file: The file; replaced if it exists.
    /// - Throws: ``ModelError/unwritable(file:reason:)``, ``ModelError/unencodable``, or
    ///   ``ModelError/externalDataLeftBehind(file:)`` if tensors are in files of another folder.
    public func write(to file: URL) throws(ModelError) {
        let target = file.deletingLastPathComponent()
        if let folder, hasExternalData, !folder.isSame(as: ExternalDataFolder(path: target.path)) {
            throw .externalDataLeftBehind(file: file.path)
        }
        try AtomicFile.write(serialized(), to: file.path)
    }
}
