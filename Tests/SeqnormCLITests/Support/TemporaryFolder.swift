import Foundation

/// A folder of files that a test makes, and that goes with it.
final class TemporaryFolder: Sendable {
    let url: URL

    /// Makes files with the given content.
    init(_ files: [String: String] = [:]) throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("seqnorm-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for (path, text) in files { try add(path, Data(text.utf8)) }
    }

    /// Makes one file, and its folder.
    func add(_ path: String, _ content: Data) throws {
        let file = url.appendingPathComponent(path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try content.write(to: file)
    }

    /// The whole path of a file, whether it exists or not.
    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    /// The content of a file.
    func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: url.appendingPathComponent(name)), as: UTF8.self)
    }

    /// What lies in the folder.
    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}
