import FoundationEssentials
import HTTPAPI
import Inference
import TensorCore

/// One reading of all records of a file, in order.
struct RecordScan {
    let file: DataFile
    let format: RecordFormat
    let interruption: Interruption

    private static let pieceBytes = 1 << 18

    /// Reads the records.
    ///
    /// - Parameters:
    ///   - signature: What a record must be.
    ///   - body: Gets each record, where it begins in the file, and how much of the file was read.
    /// - Returns: Where the file ends.
    /// - Throws: What `body` throws, a ``CommandFault`` of the file, ``Interruption/Interrupted``.
    func run(
        signature: Signature,
        body: (SequenceRecord, _ offset: Int, _ position: Int) throws -> Void
    ) throws -> Int {
        var decoder = try CommandFault.locating(file.name) { try format.decoder(for: signature) }
        var starts = LineStarts()
        var position = 0
        while true {
            try interruption.check()
            let piece = try file.bytes(at: position, count: Self.pieceBytes)
            starts.add(piece, at: position)
            position += piece.count
            if piece.isEmpty { decoder.finish() } else { piece.withUnsafeBytes { decoder.append($0) } }
            while let record = decoder.next() {
                try body(record, starts.offset(ofLine: record.line), position)
            }
            if piece.isEmpty { return position }
        }
    }
}

/// Where lines of a text begin, as far as they are still asked for.
struct LineStarts {
    private var offsets: [Int] = [0]
    /// The number of the line at ``next``.
    private var line = 1
    private var next = 0

    /// Notes the lines of the next piece.
    mutating func add(_ piece: [UInt8], at offset: Int) {
        if next > 1 << 16 {
            offsets.removeFirst(next)
            next = 0
        }
        piece.withUnsafeBufferPointer { bytes in
            var start = bytes.startIndex
            while let end = bytes[start...].firstIndex(of: 0x0A) {
                start = end + 1
                offsets.append(offset + start)
            }
        }
    }

    /// Where a line begins; lines before it can no longer be asked for.
    ///
    /// - Parameter number: From 1, at least as large as the last time; its beginning must have been added.
    /// - Returns: Bytes from the beginning of the text.
    mutating func offset(ofLine number: Int) -> Int {
        let ahead = max(number - line, 0)
        next = min(next + ahead, offsets.count - 1)
        line += ahead
        return offsets[next]
    }
}

extension RecordFormat {
    /// The format of a file: its extension tells, or its first byte.
    init(of file: DataFile) throws(CommandFault) {
        if let format = RecordFormat(fileExtension: URL(fileURLWithPath: file.name).pathExtension) {
            self = format
        } else {
            self = RecordFormat(beginningOf: try file.bytes(at: 0, count: 4096))
        }
    }
}

extension SequenceRecord {
    /// The sequence, or a fault that names file and line.
    func sequence(of file: String) throws(CommandFault) -> SequenceBatch {
        do throws(BodyError) {
            return try sequence.get()
        } catch {
            throw CommandFault(place: "\(file):\(error.place.line ?? line)", reason: error.reason)
        }
    }
}

extension BodyError {
    /// Place within the record and rule in one line.
    var reason: String { place.path.isEmpty ? message : "\(place.path): \(message)" }
}

extension SequenceRecord.ID {
    /// The id as the list of batches writes it.
    var text: String {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        }
    }
}
