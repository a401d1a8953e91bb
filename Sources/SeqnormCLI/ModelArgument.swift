import FoundationEssentials
import Inference
import ONNXGraph

/// The model file that an argument names, and the `model.json` that goes with it.
struct ModelArgument: Equatable {
    /// The model file.
    let file: URL
    /// Where a `model.json` may be, the first that exists counts.
    let documents: [URL]

    /// Why an argument names no model.
    enum Fault: Error, Equatable, CustomStringConvertible {
        case missing(String)
        case noModel(String)

        var description: String {
            switch self {
            case .missing(let path): "\(path): there is no such file or folder"
            case .noModel(let path):
                "\(path): the folder holds neither model.onnx nor a folder with a version number that does"
            }
        }
    }

    /// Finds the model.
    ///
    /// - Parameter path: A model file, a folder with `model.onnx`, or a model's folder with versions, of which the
    ///   highest counts.
    /// - Throws: A ``Fault``.
    init(path: String) throws(Fault) {
        let place = URL(fileURLWithPath: path)
        var isFolder = false
        guard FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder) else {
            throw .missing(path)
        }
        guard isFolder else {
            self.init(file: place, folders: [place.deletingLastPathComponent()])
            return
        }
        if let file = Self.modelFile(in: place) {
            self.init(file: file, folders: [place])
            return
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
        let versions = names.compactMap { name in
            Int(name).flatMap { String($0) == name && $0 > 0 ? $0 : nil }
        }
        for version in versions.sorted(by: >) {
            let folder = place.appendingPathComponent("\(version)")
            if let file = Self.modelFile(in: folder) {
                self.init(file: file, folders: [folder, place])
                return
            }
        }
        throw .noModel(path)
    }

    private init(file: URL, folders: [URL]) {
        self.file = file
        documents = folders.map { $0.appendingPathComponent("model.json") }
    }

    private static func modelFile(in folder: URL) -> URL? {
        let file = folder.appendingPathComponent("model.onnx")
        return FileManager.default.fileExists(atPath: file.path) ? file : nil
    }

    /// The content of the model file.
    ///
    /// - Throws: A ``CommandFault`` of the file.
    func bytes() throws(CommandFault) -> Data {
        guard let bytes = try? Data(contentsOf: file) else {
            throw CommandFault(place: file.path, reason: "cannot be read")
        }
        return bytes
    }

    /// The model, ready to be run.
    ///
    /// - Parameters:
    ///   - disabled: The planner's passes that are left out.
    ///   - precision: The numbers of products with constant weights.
    /// - Returns: The model.
    /// - Throws: What is wrong with the file, or why it cannot be planned.
    func load(
        without disabled: Set<PassName> = [],
        precision: Precision = .float32
    ) throws -> SequenceModel {
        let model = try Model(serialized: try bytes(), folder: file.deletingLastPathComponent())
        try model.validate()
        return try SequenceModel(
            model: model,
            override: try document(),
            disabledPasses: disabled,
            precision: precision
        )
    }

    /// The content of the `model.json`; nil if there is none.
    func document() throws -> Data? {
        let existing = documents.first { FileManager.default.fileExists(atPath: $0.path) }
        return try existing.map { try Data(contentsOf: $0) }
    }
}
