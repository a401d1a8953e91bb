import FoundationEssentials

/// Where one version of a model lies, before anything of it is read.
struct ModelLocation: Hashable, Sendable {
    /// The model's name.
    let name: String
    /// The version; 0 if there is no valid one.
    let version: Int
    /// The model's folder, or its file if it has no folder of its own: models of one name must share it.
    let root: URL
    /// The file; nil if `fault` says why there is none.
    let file: URL?
    /// Why this version cannot be served.
    let fault: String?

    /// A file to load.
    static func found(_ name: String, version: Int, root: URL, file: URL) -> ModelLocation {
        ModelLocation(name: name, version: version, root: root, file: file, fault: nil)
    }

    /// A version that is listed, but cannot be loaded.
    static func faulty(_ name: String, version: Int = 0, root: URL, because fault: String) -> ModelLocation {
        ModelLocation(name: name, version: version, root: root, file: nil, fault: fault)
    }

    /// Where a `model.json` is looked for: beside the file, then in the model's folder.
    var overrideCandidates: [URL] {
        guard let file else { return [] }
        let beside = file.deletingLastPathComponent().appendingPathComponent("model.json")
        return root == file ? [beside] : [beside, root.appendingPathComponent("model.json")]
    }

    /// The number a version folder's name stands for: decimal digits, at least 1, no leading zero.
    static func versionNumber(_ folderName: String) -> Int? {
        guard let number = Int(folderName), number > 0, String(number) == folderName else { return nil }
        return number
    }
}
