import Foundation
import HTTPAPI
import Inference

/// How the records of a file are written.
enum RecordFormat: String, CaseIterable, Sendable {
    case jsonLines = "jsonl"
    case fasta

    /// The format that a file's extension stands for; nil for others.
    init?(fileExtension: String) {
        switch fileExtension.lowercased() {
        case "jsonl", "ndjson", "json": self = .jsonLines
        case "fasta", "fa", "faa", "fna", "ffn", "frn", "fas": self = .fasta
        default: return nil
        }
    }

    /// The format of a text, by its first byte that is not white space or part of a byte order mark.
    init(beginningOf text: [UInt8]) {
        let skipped: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF]
        let first = text.first { !skipped.contains($0) }
        self = first == UInt8(ascii: ">") || first == UInt8(ascii: ";") ? .fasta : .jsonLines
    }

    /// A decoder of the format.
    func decoder(for signature: Signature) throws(BodyError) -> any RecordDecoder {
        switch self {
        case .jsonLines: JSONLinesDecoder(signature: signature, limits: Self.limits)
        case .fasta: try FASTADecoder(signature: signature, limits: Self.limits)
        }
    }

    /// A file of one's own is trusted with longer sequences than a request.
    private static let limits = DecodingLimits(maxPositions: 1 << 24, maxLineBytes: 1 << 30)
}

/// A file or standard input, read in pieces.
struct PredictInput {
    /// The name for messages.
    let name: String
    /// The size in bytes; nil if it is not known.
    let byteCount: Int?
    private let handle: FileHandle
    /// Small, as what was read is what the progress shows.
    private static let pieceBytes = 1 << 14

    /// Opens a file; `-` is standard input.
    ///
    /// - Throws: ``PredictError/cannotRead(_:)``.
    init(path: String) throws(PredictError) {
        guard path != "-" else {
            name = "standard input"
            handle = .standardInput
            byteCount = nil
            return
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue,
            let handle = FileHandle(forReadingAtPath: path)
        else { throw .cannotRead(path) }
        name = path
        self.handle = handle
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        byteCount =
            attributes?[.type] as? FileAttributeType == .typeRegular ? attributes?[.size] as? Int : nil
    }

    /// The next piece; empty at the end.
    ///
    /// - Throws: ``PredictError/cannotRead(_:)``.
    func nextPiece() throws(PredictError) -> [UInt8] {
        do {
            return [UInt8](try handle.read(upToCount: Self.pieceBytes) ?? Data())
        } catch {
            throw .cannotRead(name)
        }
    }
}

/// Why a prediction run failed as a whole.
enum PredictError: Error, Equatable, CustomStringConvertible {
    case cannotRead(String)
    case cannotWrite(String)
    /// A record breaks a rule and the run is to stop there.
    case badRecord(file: String, line: Int, reason: String)
    case noModel(String)
    case severalModels(path: String, names: [String])
    case modelFailed(path: String, reason: String)
    case executionFailed(file: String, line: Int, reason: String)
    case labelsMissing(file: String)
    case noClassOutput(path: String)
    case tooFewClasses(path: String, count: Int, topK: Int)
    case unknownOutput(path: String, name: String, known: [String])

    /// Place and reason in one line.
    var description: String {
        switch self {
        case .cannotRead(let path): "\(path): cannot be read"
        case .cannotWrite(let path): "\(path): cannot be written"
        case .badRecord(let file, let line, let reason): "\(file):\(line): \(reason)"
        case .noModel(let path): "\(path): there is no model"
        case .severalModels(let path, let names):
            "\(path): several models (\(names.joined(separator: ", "))); name one"
        case .modelFailed(let path, let reason): "\(path): \(reason)"
        case .executionFailed(let file, let line, let reason):
            "\(file):\(line): the model failed at this record or one after it: \(reason)"
        case .labelsMissing(let file):
            "\(file): no record with a label was answered, and --accuracy needs one"
        case .noClassOutput(let path):
            "\(path): the answer has no list of named classes, and --top-k and --accuracy need one"
        case .tooFewClasses(let path, let count, let topK):
            "\(path): the model has \(count) classes, and --top-k asks for \(topK)"
        case .unknownOutput(let path, let name, let known):
            "\(path): there is no output '\(name)'; there are \(known.joined(separator: ", "))"
        }
    }
}
