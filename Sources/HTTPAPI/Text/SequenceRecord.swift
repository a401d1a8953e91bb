public import TensorCore

/// One record of a text body: a line of JSON Lines, or a header of FASTA with its sequence.
public struct SequenceRecord: Sendable, Equatable {
    /// What a record calls itself; echoed as it was given.
    public enum ID: Sendable, Hashable {
        /// A JSON string, or the first word of a FASTA header.
        case string(String)
        /// A JSON integer.
        case integer(Int64)
    }

    /// The line the record starts on, from 1.
    public var line: Int
    /// The record's own name; nil if it has none or it could not be read.
    public var id: ID?
    /// The member `label` of a JSON object, a string or an integer; nil if there is none.
    public var label: String?
    /// The one sequence, or why there is none.
    public var sequence: Result<SequenceBatch, BodyError>

    /// A record.
    ///
    /// - Parameters:
    ///   - line: From 1.
    ///   - id: The record's name.
    ///   - label: The class it is said to belong to.
    ///   - sequence: The one sequence, or why there is none.
    public init(line: Int, id: ID? = nil, label: String? = nil, sequence: Result<SequenceBatch, BodyError>) {
        self.line = line
        self.id = id
        self.label = label
        self.sequence = sequence
    }

    /// Packs the sequences of those records that have one, in order.
    ///
    /// - Parameter records: Records of one decoder.
    /// - Returns: The batch; nil if no record has a sequence.
    /// - Throws: ``BodyError/invalidInput(_:at:)`` with ``InputRule/tooLarge`` if they do not fit into a tensor.
    public static func batch(_ records: some Sequence<SequenceRecord>) throws(BodyError) -> SequenceBatch? {
        let batches = records.compactMap { try? $0.sequence.get() }
        guard !batches.isEmpty else { return nil }
        do throws(ShapeError) {
            return try SequenceBatch.concatenating(batches)
        } catch {
            throw .invalidInput(.tooLarge, at: BodyPlace())
        }
    }

    /// Packs the sequences of all records, as a request that is answered as a whole needs it.
    ///
    /// - Parameters:
    ///   - records: Records of one decoder.
    ///   - limits: Of which the number of sequences holds here.
    /// - Returns: The batch, a sequence a record.
    /// - Throws: The first record's error that there is, or ``BodyError/invalidInput(_:at:)`` if there are no
    ///   records or too many.
    public static func wholeBatch(
        _ records: [SequenceRecord],
        limits: DecodingLimits = DecodingLimits()
    ) throws(BodyError) -> SequenceBatch {
        guard records.count <= limits.maxSequences else {
            throw .invalidInput(.tooManySequences(limit: limits.maxSequences), at: BodyPlace())
        }
        for record in records {
            if case .failure(let error) = record.sequence { throw error }
        }
        guard let batch = try batch(records) else { throw .invalidInput(.noSequences, at: BodyPlace()) }
        return batch
    }
}

/// Turns a text that comes in pieces into records, holding no more of it than the record at hand.
///
/// ```swift
/// decoder.append(chunk)
/// while let record = decoder.next() { ... }
/// // after the last chunk:
/// decoder.finish()
/// while let record = decoder.next() { ... }
/// ```
/// A record that breaks a rule is a record with an error; those after it are read all the same.
public protocol RecordDecoder: Sendable {
    /// Takes the next piece of the text, cut anywhere.
    ///
    /// - Parameter bytes: The piece; copied.
    mutating func append(_ bytes: UnsafeRawBufferPointer)
    /// Says that there is no more text, so that a last line without a line feed is a line.
    mutating func finish()
    /// The next record; nil until more text is there.
    mutating func next() -> SequenceRecord?
}
