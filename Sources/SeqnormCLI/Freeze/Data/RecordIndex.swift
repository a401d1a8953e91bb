import FoundationEssentials
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
        formats = try files.map { try format ?? RecordFormat(of: $0) }
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
        let first = entries.count
        let before = bytesRead
        bytesRead += files[index].byteCount
        let scan = RecordScan(file: files[index], format: formats[index], interruption: interruption)
        let end = try scan.run(signature: signature) { record, offset, position in
            try add(record, at: offset, of: index, ids)
            progress.update(bytes: before + position, sequences: entries.count)
        }
        for number in entries.indices.dropFirst(first) {
            let next = number + 1 < entries.count ? entries[number + 1].offset : end
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
        positions += try record.sequence(of: files[file].name).rowCount
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
            throw CommandFault(place: place, reason: error.reason)
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
}
