import FoundationEssentials
import Freezing
import Safetensors
import TensorCore

/// Batches that lie ready as tensors: a file each, its tensors named as the graph's inputs, or several in a file,
/// named `batch<k>.<input>`.
final class TensorData: TrainingData {
    /// Where one batch lies.
    private struct Place {
        let file: URL
        /// What stands before an input's name.
        let prefix: String
    }

    private let files: [URL]
    private let inputNames: [String]
    private var places: [Place] = []
    /// The file that the last batch came from.
    private var open: (file: URL, reader: SafetensorsReader)?

    /// Finds the batches; of each file only the header is read.
    ///
    /// - Parameters:
    ///   - files: In order.
    ///   - inputNames: The inputs that every batch must have; other tensors are passed over.
    /// - Throws: A ``CommandFault`` that names the file and a missing tensor.
    init(files: [URL], inputNames: [String]) throws {
        self.files = files
        self.inputNames = inputNames
        for file in files {
            let names = Set(try reader(of: file).names)
            let prefixes = Self.prefixes(names, inputNames)
            guard !prefixes.isEmpty else {
                throw CommandFault(
                    place: file.path,
                    reason: "holds no batch: there is neither a tensor '\(inputNames.first ?? "")' nor "
                        + "'batch0.\(inputNames.first ?? "")'"
                )
            }
            for prefix in prefixes {
                if let missing = inputNames.first(where: { !names.contains(prefix + $0) }) {
                    throw CommandFault(place: file.path, reason: "there is no tensor '\(prefix)\(missing)'")
                }
                places.append(Place(file: file, prefix: prefix))
            }
        }
    }

    var names: [String] { files.map(\.lastPathComponent) }
    var batchCount: Int { places.count }
    var summary: String { "\(files.count) \(files.count == 1 ? "file" : "files") of tensors" }

    func batch(_ index: Int) throws -> TrainingBatch {
        let place = places[index]
        let reader = try reader(of: place.file)
        var inputs: [String: Tensor] = [:]
        for name in inputNames {
            inputs[name] = try CommandFault.locating(place.file.path) {
                try reader.tensor(place.prefix + name)
            }
        }
        let name = place.prefix.isEmpty ? "" : " \(place.prefix.dropLast())"
        return TrainingBatch(inputs: inputs, origin: place.file.path + name)
    }

    private func reader(of file: URL) throws -> SafetensorsReader {
        if let open, open.file == file { return open.reader }
        let reader = try CommandFault.locating(file.path) { try SafetensorsReader(contentsOf: file) }
        open = (file, reader)
        return reader
    }

    /// What stands before the inputs' names: nothing, or `batch<k>.` by ascending k.
    private static func prefixes(_ names: Set<String>, _ inputNames: [String]) -> [String] {
        if inputNames.contains(where: names.contains) { return [""] }
        var numbers: Set<Int> = []
        for name in names where name.hasPrefix("batch") {
            guard let dot = name.firstIndex(of: "."), let number = Int(name.dropFirst(5).prefix(upTo: dot)),
                number >= 0, inputNames.contains(String(name[name.index(after: dot)...]))
            else { continue }
            numbers.insert(number)
        }
        return numbers.sorted().map { "batch\($0)." }
    }
}
