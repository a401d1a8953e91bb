import FoundationEssentials
import HTTPAPI
import Inference
import TensorCore
import Verifying

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Reads the first sequences of a file.
enum ProbeRecords {
    /// The sequences of the first records.
    ///
    /// - Parameters:
    ///   - path: A file of JSON Lines or FASTA; `-` is standard input.
    ///   - format: How it is written; nil: the extension tells, or the first byte.
    ///   - signature: What the model takes.
    /// - Returns: At most ``ModelVerifier/sequenceLimit`` sequences.
    /// - Throws: A ``CommandFault`` of the file, with the line of a record that the model does not take.
    static func read(
        _ path: String,
        format: RecordFormat?,
        signature: Signature
    ) throws(CommandFault) -> SequenceBatch {
        let input = try RecordInput(path: path)
        var piece = try input.nextPiece()
        let format =
            format ?? RecordFormat(fileExtension: URL(fileURLWithPath: input.name).pathExtension)
            ?? RecordFormat(beginningOf: piece)
        return try CommandFault.locating(input.name) {
            var decoder = try format.decoder(for: signature)
            var records: [SequenceRecord] = []
            while records.count < ModelVerifier.sequenceLimit {
                let isAtEnd = piece.isEmpty
                piece.withUnsafeBytes { decoder.append($0) }
                if isAtEnd { decoder.finish() }
                while records.count < ModelVerifier.sequenceLimit, let record = decoder.next() {
                    if case .failure(let error) = record.sequence {
                        throw CommandFault(
                            place: "line \(error.place.line ?? record.line)",
                            reason: error.message
                        )
                    }
                    records.append(record)
                }
                if isAtEnd { break }
                piece = try input.nextPiece()
            }
            guard let batch = try SequenceRecord.batch(records) else {
                throw CommandFault(place: "the file", reason: "holds no sequence")
            }
            return batch
        }
    }
}
