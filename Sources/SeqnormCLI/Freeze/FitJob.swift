import FoundationEssentials
import Freezing
import HTTPAPI
import Inference
import ONNXGraph
import Reporting
import Safetensors
import TensorCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One run of `seqnorm fit`.
struct FitJob {
    let command: FitCommand
    let interruption: Interruption

    /// Reads the data and writes the model.
    ///
    /// - Throws: A ``CommandFault``, ``Interruption/Interrupted``; nothing is written then.
    func run() throws {
        let folder = try VersionFolder(model: command.output)
        try OutputFiles.check(command.reports.paths)
        let files = try DataOpening.recordFiles(at: command.data).map {
            try DataFile(path: $0, interruption: interruption)
        }
        let fit = try read(files)
        let names = files.map { FilePath.name($0.name) }
        let normalizer = try CommandFault.locating(command.data) {
            try fit.normalizerModel(toolVersion: Seqnorm.version, data: names)
        }
        for warning in normalizer.warnings { StandardStream.error.say("warning: \(warning)") }
        let title = URL(fileURLWithPath: command.output).lastPathComponent
        let report = FreezeReport(
            normalizer,
            of: fit,
            title: title,
            data: names,
            toolVersion: Seqnorm.version
        )
        let bytes = try CommandFault.locating(folder.file) { try normalizer.model.serialized() }
        let written = try folder.make()
        do {
            try OutputFiles.write(
                [(folder.file, bytes)]
                    + command.reports.files(report, SafetensorsFile(normalizer.statistics)),
                interruption: interruption
            )
        } catch {
            written.remove()
            throw error
        }
        StandardStream.output.say(
            "fitted \(fit.channels) channels to \(fit.sequences) sequences, \(fit.positions) positions"
        )
        for path in [folder.file] + command.reports.paths { StandardStream.output.say("wrote \(path)") }
    }

    private func read(_ files: [DataFile]) throws -> FeatureFit {
        let total = files.reduce(0) { $0 + $1.byteCount }
        var bar = ProgressBar(totalBytes: total, isShown: StandardStream.error.isTerminal)
        defer { bar.clear() }
        var fit: FeatureFit?
        var before = 0
        for file in files {
            let channels = try fit?.channels ?? FeatureCount.channels(of: file)
            var current = fit ?? FeatureFit(channels: channels)
            let scan = RecordScan(file: file, format: .jsonLines, interruption: interruption)
            _ = try scan.run(signature: Self.signature(channels)) { record, _, position in
                let sequence = try record.sequence(of: file.name)
                try CommandFault.locating("\(file.name):\(record.line)") { try current.add(sequence) }
                bar.update(bytes: before + position, sequences: current.sequences)
            }
            before += file.byteCount
            fit = current
        }
        guard let fit, fit.sequences > 0 else {
            throw CommandFault(place: command.data, reason: "there are no records")
        }
        return fit
    }

    private static func signature(_ channels: Int) -> Signature {
        Signature(
            sequence: SequenceInput(
                name: FeatureFit.label,
                kind: .features(layout: .channelsLast, channels: channels)
            ),
            outputs: []
        )
    }
}

/// The folder `MODEL/VERSION` that a new version of a model goes into.
struct VersionFolder {
    /// The model file.
    let file: String
    private let folders: [String]

    /// Chooses the version after the highest that is there.
    ///
    /// - Parameter model: The model's folder, which may be missing; the folder around it may not.
    /// - Throws: A ``CommandFault``.
    init(model: String) throws(CommandFault) {
        let manager = FileManager.default
        var isFolder = false
        if manager.fileExists(atPath: model, isDirectory: &isFolder) {
            guard isFolder else { throw CommandFault(place: model, reason: "is no folder") }
            let names = (try? manager.contentsOfDirectory(atPath: model)) ?? []
            let versions = names.compactMap { Int($0) }.filter { $0 > 0 && $0 < Int.max }
            let version = FilePath.joining(model, "\((versions.max() ?? 0) + 1)")
            folders = [version]
        } else {
            try OutputFiles.check([model])
            folders = [model, FilePath.joining(model, "1")]
        }
        file = FilePath.joining(folders.last ?? model, "model.onnx")
    }

    /// Folders that were made.
    struct Made {
        fileprivate var folders: [String] = []

        /// Takes them away again, as far as they are empty.
        func remove() { for folder in folders.reversed() { rmdir(folder) } }
    }

    /// Makes the folders.
    ///
    /// - Throws: A ``CommandFault`` with what the operating system says; nothing is left behind.
    func make() throws(CommandFault) -> Made {
        var made = Made()
        for folder in folders {
            guard mkdir(folder, 0o755) == 0 else {
                let reason = String(cString: strerror(errno)).lowercased()
                made.remove()
                throw CommandFault(place: folder, reason: "cannot be made: \(reason)")
            }
            made.folders.append(folder)
        }
        return made
    }
}

/// How many features a position has, told from the first record of a file.
enum FeatureCount {
    /// The number of numbers in the first position of the first record; a record is a list of positions, or an
    /// object that holds one.
    ///
    /// - Parameter file: JSON Lines.
    /// - Returns: At least 1.
    /// - Throws: A ``CommandFault`` that names the line.
    static func channels(of file: DataFile) throws(CommandFault) -> Int {
        let (line, number) = try firstLine(of: file)
        let place = "\(file.name):\(number)"
        guard let record = try? JSONDecoder().decode(Record.self, from: Data(line)) else {
            throw CommandFault(place: place, reason: "not JSON")
        }
        if let channels = record.channels { return channels }
        throw CommandFault(
            place: place,
            reason: "a list of positions is needed, each a list of numbers: {\"sequence\": [[0.5, 1.5], ...]}"
        )
    }

    /// What a record says of its first position.
    private struct Record: Decodable {
        let channels: Int?

        private enum Member: CodingKey, CaseIterable {
            case sequence, features

            var stringValue: String { self == .sequence ? "sequence" : FeatureFit.label }
        }

        init(from decoder: any Decoder) throws {
            if let positions = try? decoder.unkeyedContainer() {
                channels = Self.channels(positions)
            } else if let object = try? decoder.container(keyedBy: Member.self) {
                let lists = Member.allCases.compactMap { try? object.nestedUnkeyedContainer(forKey: $0) }
                channels = lists.lazy.compactMap(Self.channels).first
            } else {
                channels = nil
            }
        }

        private static func channels(_ positions: any UnkeyedDecodingContainer) -> Int? {
            var positions = positions
            guard !positions.isAtEnd, let first = try? positions.nestedUnkeyedContainer() else { return nil }
            return first.count == 0 ? nil : first.count
        }
    }

    private static func firstLine(of file: DataFile) throws(CommandFault) -> ([UInt8], Int) {
        var line: [UInt8] = []
        var number = 1
        var offset = 0
        while true {
            let piece = try file.bytes(at: offset, count: 1 << 16)
            offset += piece.count
            for byte in piece {
                guard byte == 0x0A else {
                    line.append(byte)
                    continue
                }
                if !isBlank(line) { return (line, number) }
                line = []
                number += 1
            }
            if piece.isEmpty {
                if isBlank(line) { throw CommandFault(place: file.name, reason: "there are no records") }
                return (line, number)
            }
        }
    }

    private static func isBlank(_ line: [UInt8]) -> Bool {
        line.allSatisfy { [0x20, 0x09, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }
    }
}
