import CSimdJSON
public import Inference
import TensorCore

/// Reads JSON Lines (`application/x-ndjson`): a sequence a line.
///
/// ```json
/// {"id": "a", "sequence": [[12 numbers], ...], "label": "3"}
/// [[12 numbers], ...]
/// "GLFDIVKK"
/// ```
/// A line is a sequence in any form that ``InstancesDecoder`` takes, or an object that holds one as `sequence` or
/// under the input's name. Of an object's other members `id` (a string or an integer) and `label` are kept, the
/// rest is passed over; the mask's and the lengths' names are refused. Blank lines, a byte order mark and CRLF are
/// taken. A place names the line and the way from there: `line 3, sequence[7]`.
public struct JSONLinesDecoder: RecordDecoder {
    private let reader: SequenceReader
    private var lines: LineBuffer

    /// A decoder at the beginning of a text.
    ///
    /// - Parameters:
    ///   - signature: The model's signature.
    ///   - limits: What a line may ask for; the number of lines is not limited.
    public init(signature: Signature, limits: DecodingLimits = DecodingLimits()) {
        reader = SequenceReader(signature: signature, limits: limits)
        lines = LineBuffer(maxBytes: limits.maxLineBytes)
    }

    /// Takes the next piece of the text, cut anywhere.
    ///
    /// - Parameter bytes: The piece; copied.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) { lines.append(bytes) }

    /// Says that there is no more text, so that a last line without a line feed is a line.
    public mutating func finish() { lines.finish() }

    /// The next record; nil until more text is there.
    ///
    /// - Returns: A line that is not blank.
    /// - Complexity: O(bytes of the line).
    public mutating func next() -> SequenceRecord? {
        while let line = lines.next() {
            switch line {
            case .tooLong:
                let fault = SyntaxFault.lineTooLong(maxBytes: reader.limits.maxLineBytes)
                return SequenceRecord(
                    line: lines.number,
                    sequence: .failure(.invalidJSON(fault, at: BodyPlace(line: lines.number)))
                )
            case .text(let range):
                let isBlank = lines.bytes[range].allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
                if !isBlank { return record(range) }
            }
        }
        return nil
    }

    private func record(_ range: Range<Int>) -> SequenceRecord {
        var record = SequenceRecord(
            line: lines.number,
            sequence: .failure(.invalidInput(.noSequences, at: BodyPlace()))
        )
        do throws(BodyError) {
            let batch = try parse(range, into: &record)
            record.sequence = .success(batch)
        } catch {
            record.sequence = .failure(error.onLine(lines.number))
        }
        return record
    }

    private func parse(_ range: Range<Int>, into record: inout SequenceRecord) throws(BodyError)
        -> SequenceBatch
    {
        var result: Result<SequenceBatch, BodyError> = .failure(.invalidJSON(.empty, at: BodyPlace()))
        lines.bytes.withUnsafeBytes { bytes in
            do throws(BodyError) {
                let batch = try JSONParserPool.shared.withParsed(
                    UnsafeRawBufferPointer(rebasing: bytes[range]),
                    readable: bytes.count - range.lowerBound,
                    maxDepth: reader.limits.maxDepth
                ) { (value) throws(BodyError) in
                    if value.kind == CSJ_OBJECT { try Self.readNames(value, into: &record) }
                    var collector = SequenceCollector(reader)
                    try collector.add(value, others: .ignored)
                    return try collector.batch(indexed: false)
                }
                result = .success(batch)
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }

    private static func readNames(_ object: JSONValue, into record: inout SequenceRecord) throws(BodyError) {
        try object.forEachMember { (key, value) throws(BodyError) in
            switch (key, value.kind) {
            case ("id", CSJ_STRING): record.id = .string(value.text)
            case ("id", CSJ_INT64): record.id = .integer(try value.integer(in: Int64.min...Int64.max))
            case ("id", CSJ_NULL): break
            case ("id", _): try value.require(.string)
            case ("label", CSJ_STRING): record.label = value.text
            case ("label", CSJ_INT64): record.label = String(try value.integer(in: Int64.min...Int64.max))
            default: break
            }
        }
    }
}
