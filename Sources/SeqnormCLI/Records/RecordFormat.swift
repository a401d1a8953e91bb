import ArgumentParser
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

extension RecordFormat: ExpressibleByArgument {}
