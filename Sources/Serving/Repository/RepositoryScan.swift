import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Finds the models at some paths, without reading any.
///
/// - an `.onnx` file is a model named after the file, version 1; `NAME/VERSION/model.onnx` keeps its name and
///   version, and any other `model.onnx` is named after its folder;
/// - a folder with a folder in it whose name is a number is a model's folder;
/// - any other folder is a folder of models: `.onnx` files and models' folders. What is neither is passed over.
///
/// A version folder that breaks the rules is listed as faulty and hides no other.
enum RepositoryScan {
    private static let modelFile = "model.onnx"

    /// All versions of all models, sorted by name and version.
    ///
    /// - Throws: A ``RepositoryFault`` that makes the paths as a whole unfit.
    static func locations(at paths: [URL]) throws(RepositoryFault) -> [ModelLocation] {
        guard !paths.isEmpty else { throw .noModels(path: "(no path given)") }
        var locations: [ModelLocation] = []
        for path in paths { locations += try self.locations(at: path.standardizedFileURL) }
        for location in locations where !ModelName.isValid(location.name) {
            throw .invalidName(name: location.name, path: location.root.path)
        }
        try checkUnique(locations)
        return locations.sorted { ($0.name, $0.version) < ($1.name, $1.version) }
    }

    private static func locations(at path: URL) throws(RepositoryFault) -> [ModelLocation] {
        switch kind(of: path) {
        case .nothing: throw .unreadable(path: path.path)
        case .file:
            guard isModelFile(path) else { throw .notAModel(path: path.path) }
            return [explicitFile(path)]
        case .folder:
            guard let children = children(of: path) else { throw .unreadable(path: path.path) }
            let found: [ModelLocation]
            if holdsModelFile(path), ModelLocation.versionNumber(path.lastPathComponent) != nil {
                found = [explicitFile(path.appendingPathComponent(modelFile))]
            } else if holdsModelFile(path) || children.contains(where: looksLikeVersion) {
                found = versions(in: path)
            } else {
                found = children.flatMap(modelsInFolderOfModels)
            }
            guard !found.isEmpty else { throw .noModels(path: path.path) }
            return found
        }
    }

    /// What one entry of a folder of models holds.
    private static func modelsInFolderOfModels(_ child: URL) -> [ModelLocation] {
        switch kind(of: child) {
        case .nothing: []
        case .file: isModelFile(child) ? [singleFile(child)] : []
        case .folder: versions(in: child)
        }
    }

    private static func explicitFile(_ file: URL) -> ModelLocation {
        guard file.lastPathComponent == modelFile else { return singleFile(file) }
        let folder = file.deletingLastPathComponent()
        guard let version = ModelLocation.versionNumber(folder.lastPathComponent) else {
            return .found(folder.lastPathComponent, version: 1, root: folder, file: file)
        }
        let root = folder.deletingLastPathComponent()
        return .found(root.lastPathComponent, version: version, root: root, file: file)
    }

    private static func singleFile(_ file: URL) -> ModelLocation {
        .found(file.deletingPathExtension().lastPathComponent, version: 1, root: file, file: file)
    }

    /// The versions in a model's folder; empty if it is no model's folder.
    private static func versions(in root: URL) -> [ModelLocation] {
        let name = root.lastPathComponent
        var found: [ModelLocation] = []
        if holdsModelFile(root) {
            let fault = "\(modelFile) lies in the model's folder; expected \(name)/1/\(modelFile)"
            found.append(.faulty(name, root: root, because: fault))
        }
        for folder in children(of: root) ?? [] where kind(of: folder) == .folder {
            let folderName = folder.lastPathComponent
            if let version = ModelLocation.versionNumber(folderName) {
                let file = folder.appendingPathComponent(modelFile)
                found.append(
                    holdsModelFile(folder)
                        ? .found(name, version: version, root: root, file: file)
                        : .faulty(name, version: version, root: root, because: "there is no \(modelFile)")
                )
            } else if looksLikeVersion(folder) || holdsModelFile(folder) {
                let fault = "the version folder '\(folderName)' is not a number of at least 1"
                found.append(.faulty(name, root: root, because: fault))
            }
        }
        return found
    }

    private static func checkUnique(_ locations: [ModelLocation]) throws(RepositoryFault) {
        for (name, group) in Dictionary(grouping: locations, by: \.name).sorted(by: { $0.key < $1.key }) {
            let versions = group.map(\.version).filter { $0 > 0 }
            let roots = Set(group.map(\.root.path))
            guard roots.count == 1, Set(versions).count == versions.count else {
                throw .duplicateName(name: name, paths: roots.sorted())
            }
        }
    }

    // MARK: The file system

    private enum Kind { case nothing, file, folder }

    private static func kind(of path: URL) -> Kind {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path.path, isDirectory: &isFolder) else {
            return .nothing
        }
        return isFolder ? .folder : .file
    }

    /// The entries of a folder, sorted, without hidden ones; nil if it cannot be read.
    private static func children(of folder: URL) -> [URL]? {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
            return nil
        }
        return names.filter { !$0.hasPrefix(".") }.sorted().map(folder.appendingPathComponent)
    }

    private static func isModelFile(_ path: URL) -> Bool {
        path.pathExtension.lowercased() == "onnx"
    }

    private static func holdsModelFile(_ folder: URL) -> Bool {
        kind(of: folder.appendingPathComponent(modelFile)) == .file
    }

    private static func looksLikeVersion(_ path: URL) -> Bool {
        let name = path.lastPathComponent
        return kind(of: path) == .folder && name.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
