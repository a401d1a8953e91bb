import FoundationEssentials
import Freezing
import Inference

/// Opens what `--data` names.
struct DataOpening {
    let options: BatchArguments
    let inputNames: [String]
    /// What the inputs mean, or why that is not known; needed for records only.
    let signature: Result<Signature, SignatureError>
    let modelName: String
    let interruption: Interruption

    /// Finds the batches; every record is read once.
    ///
    /// - Parameters:
    ///   - path: A file, a folder, or `-`.
    ///   - progress: Shown while records are read.
    /// - Returns: The batches.
    /// - Throws: A ``CommandFault``, ``Interruption/Interrupted``.
    func data(at path: String, progress: (Int) -> ProgressBar) throws -> any TrainingData {
        let paths = try Self.files(at: path)
        let isTensors = paths.first.map { Self.kind(of: $0) == .tensors } ?? false
        guard !isTensors else {
            if options.batches != nil {
                throw CommandFault(place: path, reason: "--batches is for records with ids, not for tensors")
            }
            return try TensorData(files: paths.map { URL(fileURLWithPath: $0) }, inputNames: inputNames)
        }
        let signature = try CommandFault.locating(modelName) { try self.signature.get() }
        let known = [signature.sequence.name, signature.mask?.name, signature.lengths?.name]
        let others = inputNames.filter { !known.contains($0) }
        guard others.isEmpty else {
            throw CommandFault(
                place: modelName,
                reason: "records cannot give the inputs \(others.joined(separator: ", ")); "
                    + "give batches as .safetensors files"
            )
        }
        let list = try options.batches.map { try BatchList(path: $0) }
        let files = try paths.map { try DataFile(path: $0, interruption: interruption) }
        var bar = progress(files.reduce(0) { $0 + $1.byteCount })
        defer { bar.clear() }
        let index = try RecordIndex(
            files: files,
            format: options.format,
            signature: signature,
            ids: list?.ids ?? [],
            interruption: interruption,
            progress: &bar
        )
        return try RecordData(
            index: index,
            options: options,
            list: list,
            layout: PaddedInputs(signature: signature, inputNames: inputNames)
        )
    }

    /// What a file of a folder is taken for.
    private enum Kind { case tensors, records, other }

    private static func kind(of path: String) -> Kind {
        let suffix = URL(fileURLWithPath: path).pathExtension
        if suffix.lowercased() == "safetensors" { return .tensors }
        return RecordFormat(fileExtension: suffix) == nil ? .other : .records
    }

    /// The files of records at a path.
    ///
    /// - Parameter path: A file, a folder, or `-`.
    /// - Returns: At least one path.
    /// - Throws: A ``CommandFault``.
    static func recordFiles(at path: String) throws(CommandFault) -> [String] {
        let paths = try files(at: path)
        if let tensors = paths.first(where: { kind(of: $0) == .tensors }) {
            throw CommandFault(place: tensors, reason: "holds tensors; records are needed")
        }
        return paths
    }

    /// The file itself, or the files of a folder in the order of their names, of one kind.
    private static func files(at path: String) throws(CommandFault) -> [String] {
        guard path != "-" else { return [path] }
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw CommandFault(place: path, reason: "there is no such file or folder")
        }
        guard isFolder else { return [path] }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw CommandFault(place: path, reason: "cannot be read")
        }
        let files = names.filter { !$0.hasPrefix(".") }.sorted().map {
            FilePath.joining(path, $0)
        }
        let tensors = files.filter { kind(of: $0) == .tensors }
        let records = files.filter { kind(of: $0) == .records }
        guard tensors.isEmpty || records.isEmpty else {
            throw CommandFault(place: path, reason: "the folder holds both tensors and records")
        }
        guard !tensors.isEmpty || !records.isEmpty else {
            throw CommandFault(place: path, reason: "the folder holds no .safetensors, .jsonl or .fasta file")
        }
        guard records.count < Int(UInt16.max) else {
            throw CommandFault(place: path, reason: "more than \(UInt16.max) files of records")
        }
        return tensors + records
    }
}
