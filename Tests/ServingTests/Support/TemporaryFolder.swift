import Foundation

/// A folder of files that a test makes, and that goes with it.
final class TemporaryFolder: Sendable {
    let url: URL

    /// Makes files with the given content; a path that ends in `/` is an empty folder.
    init(_ files: [String: Data] = [:]) throws {
        url =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("seqnorm-\(UUID().uuidString)", isDirectory: true).standardizedFileURL
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for (path, content) in files { try add(path, content) }
    }

    func add(_ path: String, _ content: Data = Data()) throws {
        let target = url.appendingPathComponent(path)
        let folder = path.hasSuffix("/") ? target : target.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        if !path.hasSuffix("/") { try content.write(to: target) }
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}
