import Foundation
import HTTPAPI
import Inference
import TensorCore

/// Where each record of some files lies; every record has been read once, and keeps its rule.
///
/// A record takes 24 bytes here, so that files far larger than memory can be read in any order.
struct RecordIndex {
    /// One record.
    struct Entry: Equatable {
        /// Where it begins in its file.
        var offset: Int
        /// How many bytes there are to the next record.
        var byteCount: Int
        /// The line it begins on, from 1.
        var line: UInt32
        /// Its file, by its place in the index's files.
        var file: UInt16
    }

    /// The files, in order.
    let files: [DataFile]
    /// How each file is written.
    let formats: [RecordFormat]
    /// The records, in the order of the files.
    private(set) var entries: [Entry] = []
    /// Entries by the id that was asked for.
    private(set) var named: [String: Int] = [:]
    /// Valid positions of all records.
    private(set) var positions = 0
    private let signature: Signature

    /// The most records an index holds.
    static let mostRecords = Int(UInt32.max)
    private static let pieceBytes = 1 << 20

    /// Reads every record of the files once.
    ///
    /// - Parameters:
    ///   - files: In the order they are read; those without an extension are told by their first byte.
    ///   - format: How all are written; nil for each file's own.
    ///   - signature: What a record must be.
    ///   - ids: The records that will be asked for by name; all others' ids are passed over.
    ///   - interruption: Ends the reading.
    ///   - progress: Shown while it runs.
    /// - Throws: A ``CommandFault`` that names file, line and rule; ``Interruption/Interrupted``.
    init(
        files: [DataFile],
        format: RecordFormat?,
        signature: Signature,
        ids: Set<String> = [],
        interruption: Interruption,
        progress: inout ProgressBar
    ) throws {
        self.files = files
        self.signature = signature
        var formats: [RecordFormat] = []
        for file in files {
            formats.append(
                try format
                    ?? RecordFormat(fileExtension: URL(fileURLWithPath: file.name).pathExtension)
                    ?? RecordFormat(beginningOf: file.bytes(at: 0, count: 4096))
            )
        }
        self.formats = formats
        var bytesRead = 0
        for index in files.indices {
            try add(index, ids, interruption, &progress, &bytesRead)
        }
        progress.clear()
    }

    private mutating func add(
        _ index: Int,
        _ ids: Set<String>,
        _ interruption: Interruption,
        _ progress: inout ProgressBar,
        _ bytesRead: inout Int
    ) throws {
        let file = files[index]
        let first = entries.count
        var decoder = try CommandFault.locating(file.name) { try formats[index].decoder(for: signature) }
        var starts = LineStarts()
        var offset = 0
        while true {
            try interruption.check()
            let piece = try file.bytes(at: offset, count: Self.pieceBytes)
            starts.add(piece, at: offset)
            offset += piece.count
            bytesRead += piece.count
            if piece.isEmpty { decoder.finish() } else { piece.withUnsafeBytes { decoder.append($0) } }
            while let record = decoder.next() {
                let start = starts.offset(ofLine: record.line)
                try add(record, at: start, of: index, ids)
            }
            progress.update(bytes: bytesRead, sequences: entries.count)
            if piece.isEmpty { break }
        }
        for number in entries.indices.dropFirst(first) {
            let next = number + 1 < entries.count ? entries[number + 1].offset : offset
            entries[number].byteCount = max(next - entries[number].offset, 0)
        }
    }

    private mutating func add(
        _ record: SequenceRecord,
        at offset: Int,
        of file: Int,
        _ ids: Set<String>
    ) throws {
        let place = "\(files[file].name):\(record.line)"
        do throws(BodyError) {
            positions += try record.sequence.get().rowCount
        } catch {
            let line = error.place.line ?? record.line
            throw CommandFault(place: "\(files[file].name):\(line)", reason: Self.reason(error))
        }
        guard entries.count < Self.mostRecords else {
            throw CommandFault(place: place, reason: "more than \(Self.mostRecords) records")
        }
        if !ids.isEmpty, let id = record.id?.text, ids.contains(id) {
            if let other = named.updateValue(entries.count, forKey: id) {
                let first = "\(files[Int(entries[other].file)].name):\(entries[other].line)"
                throw CommandFault(place: place, reason: "the id '\(id)' is that of \(first) as well")
            }
        }
        entries.append(
            Entry(
                offset: offset,
                byteCount: 0,
                line: UInt32(clamping: record.line),
                file: UInt16(clamping: file)
            )
        )
    }

    /// Reads some records again.
    ///
    /// - Parameter numbers: Places in ``entries``, at least one.
    /// - Returns: Their sequences, in order.
    /// - Throws: A ``CommandFault`` that names file and line, for example if the file has changed.
    func sequences(_ numbers: some Sequence<Int>) throws -> SequenceBatch {
        var parts: [SequenceBatch] = []
        for number in numbers { parts.append(try sequence(number)) }
        guard !parts.isEmpty else {
            throw CommandFault(place: files.first?.name ?? "data", reason: "a batch without records")
        }
        return try CommandFault.locating(files.first?.name ?? "data") {
            try SequenceBatch.concatenating(parts)
        }
    }

    private func sequence(_ number: Int) throws -> SequenceBatch {
        let entry = entries[number]
        let file = files[Int(entry.file)]
        let place = "\(file.name):\(entry.line)"
        let bytes = try file.bytes(at: entry.offset, count: entry.byteCount)
        var decoder = try CommandFault.locating(place) {
            try formats[Int(entry.file)].decoder(for: signature)
        }
        bytes.withUnsafeBytes { decoder.append($0) }
        decoder.finish()
        guard let record = decoder.next() else {
            throw CommandFault(place: place, reason: "the file has changed while it was read")
        }
        do throws(BodyError) {
            return try record.sequence.get()
        } catch {
            throw CommandFault(place: place, reason: Self.reason(error))
        }
    }

    /// What messages call some records: `train.jsonl line 7`, or `train.jsonl lines 3-29 (30 records)`.
    func origin(_ numbers: some Collection<Int>) -> String {
        let chosen = numbers.map { entries[$0] }
        guard let first = chosen.first else { return files.first?.name ?? "data" }
        let lines = chosen.map(\.line)
        guard let low = lines.min(), let high = lines.max(), chosen.allSatisfy({ $0.file == first.file })
        else {
            return "\(files[Int(first.file)].name) and others, \(chosen.count) records"
        }
        let name = files[Int(first.file)].name
        return chosen.count == 1
            ? "\(name) line \(low)" : "\(name), \(chosen.count) records of lines \(low)-\(high)"
    }

    private static func reason(_ error: BodyError) -> String {
        error.place.path.isEmpty ? error.message : "\(error.place.path): \(error.message)"
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

extension SequenceRecord.ID {
    /// The id as the list of batches writes it.
    var text: String {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        }
    }
}
