import Foundation

/// A file or standard input, read in pieces.
struct RecordInput {
    /// The name for messages.
    let name: String
    /// The size in bytes; nil if it is not known.
    let byteCount: Int?
    private let handle: FileHandle
    /// Small, as what was read is what the progress shows.
    private static let pieceBytes = 1 << 14

    /// Opens a file; `-` is standard input.
    ///
    /// - Throws: A ``CommandFault`` of the file.
    init(path: String) throws(CommandFault) {
        guard path != "-" else {
            name = "standard input"
            handle = .standardInput
            byteCount = nil
            return
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue,
            let handle = FileHandle(forReadingAtPath: path)
        else { throw CommandFault(place: path, reason: "cannot be read") }
        name = path
        self.handle = handle
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        byteCount =
            attributes?[.type] as? FileAttributeType == .typeRegular ? attributes?[.size] as? Int : nil
    }

    /// The next piece; empty at the end.
    ///
    /// - Throws: A ``CommandFault`` of the file.
    func nextPiece() throws(CommandFault) -> [UInt8] {
        do {
            return [UInt8](try handle.read(upToCount: Self.pieceBytes) ?? Data())
        } catch {
            throw CommandFault(place: name, reason: "cannot be read")
        }
    }
}
