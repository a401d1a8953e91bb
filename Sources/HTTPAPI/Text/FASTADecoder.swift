public import Inference
import TensorCore

/// Reads FASTA (`text/x-fasta`): a header line `>id description`, then the sequence on any number of lines.
///
/// ```
/// >sp|P02144|MYG_HUMAN Myoglobin
/// MGLSDGEWQLVLNVWGKVEADIPGHGQEVLIRLFKGHPETLEKFDKFKHLKSEDEMKASEDL
/// KKHGATVLTALGGILKKKGHHEAEIKPLAQSHATKHKIPVKYLEFISECIIQVLQSKHPGDF
/// ```
/// The id is the header's first word, maybe empty; ids may repeat. Blank lines, lines that begin with `;`, white
/// space within a sequence, a byte order mark and CRLF are passed over. Letters are those of the model's alphabet,
/// no others: no lower case, gap `-` or stop `*` unless the alphabet has them. A place names the line of the
/// letter and its position in the sequence, from 0: `line 3, sequence[70]`.
public struct FASTADecoder: RecordDecoder {
    private struct Entry: Sendable {
        var line: Int
        var id: SequenceRecord.ID?
        var error: BodyError?
        var tokens: [Int64] = []
    }

    private let letters: Alphabet
    private let limits: DecodingLimits
    private var lines: LineBuffer
    private var entry: Entry?
    private var isFinished = false

    /// A decoder at the beginning of a text.
    ///
    /// - Parameters:
    ///   - signature: The signature of a model of tokens with an alphabet.
    ///   - limits: What a record may ask for; the number of records is not limited.
    /// - Throws: ``BodyError/invalidInput(_:at:)`` with ``InputRule/textForFeatures`` or
    ///   ``InputRule/noAlphabet`` if the model does not take text.
    public init(signature: Signature, limits: DecodingLimits = DecodingLimits()) throws(BodyError) {
        guard case .tokens = signature.sequence.kind else {
            throw .invalidInput(.textForFeatures, at: BodyPlace())
        }
        guard let alphabet = signature.alphabet else { throw .invalidInput(.noAlphabet, at: BodyPlace()) }
        letters = alphabet
        self.limits = limits
        lines = LineBuffer(maxBytes: limits.maxLineBytes)
    }

    /// Takes the next piece of the text, cut anywhere.
    ///
    /// - Parameter bytes: The piece; copied.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) { lines.append(bytes) }

    /// Says that there is no more text, so that the last record is complete.
    public mutating func finish() {
        lines.finish()
        isFinished = true
    }

    /// The next record; nil until more text is there.
    ///
    /// - Returns: A record once its last line is known to be the last.
    /// - Complexity: O(bytes of the record).
    public mutating func next() -> SequenceRecord? {
        while let line = lines.next() {
            if let record = take(line) { return record }
        }
        guard isFinished, let last = entry else { return nil }
        entry = nil
        return record(last)
    }

    /// Adds a line; returns the record that it ends.
    private mutating func take(_ line: LineBuffer.Line) -> SequenceRecord? {
        guard case .text(let range) = line else {
            fail(.invalidJSON(.lineTooLong(maxBytes: limits.maxLineBytes), at: BodyPlace(line: lines.number)))
            return nil
        }
        let text = lines.bytes[range]
        switch text.first(where: { !Self.isSpace($0) }) {
        case nil, UInt8(ascii: ";"): return nil
        case UInt8(ascii: ">"):
            let ended = entry.map(record)
            entry = Entry(line: lines.number, id: .string(Self.id(text)))
            return ended
        default:
            addLetters(text)
            return nil
        }
    }

    private mutating func addLetters(_ text: ArraySlice<UInt8>) {
        guard var open = entry else {
            fail(.invalidJSON(.textBeforeHeader, at: BodyPlace(line: lines.number)))
            return
        }
        guard open.error == nil else { return }
        entry = nil
        let start = open.tokens.count
        let position = text.filter { !Self.isSpace($0) }.withUnsafeBufferPointer {
            letters.append($0, to: &open.tokens)
        }
        if let position {
            let place = BodyPlace([.key("sequence"), .index(start + position)], line: lines.number)
            open.error = .invalidInput(.letterOutsideAlphabet, at: place)
            open.tokens = []
        } else if open.tokens.count > limits.maxPositions {
            let place = BodyPlace([.key("sequence")], line: lines.number)
            open.error = .invalidInput(.sequenceTooLong(limit: limits.maxPositions), at: place)
            open.tokens = []
        }
        entry = open
    }

    /// Marks the record at hand as broken; without one, text before the first header is a record of its own.
    private mutating func fail(_ error: BodyError) {
        if entry == nil { entry = Entry(line: lines.number) }
        if entry?.error == nil { entry?.error = error }
        entry?.tokens = []
    }

    private func record(_ entry: Entry) -> SequenceRecord {
        var record = SequenceRecord(
            line: entry.line,
            id: entry.id,
            sequence: .failure(
                .invalidInput(.emptySequence, at: BodyPlace([.key("sequence")], line: entry.line))
            )
        )
        if let error = entry.error {
            record.sequence = .failure(error)
        } else if !entry.tokens.isEmpty {
            record.sequence = Self.batch(entry.tokens).mapError { $0.onLine(entry.line) }
        }
        return record
    }

    private static func batch(_ tokens: [Int64]) -> Result<SequenceBatch, BodyError> {
        do throws(ShapeError) {
            let rows = try Tensor(tokens, shape: Shape(checking: [tokens.count]))
            return .success(try SequenceBatch(rows: rows, lengths: [tokens.count]))
        } catch {
            return .failure(.invalidInput(.tooLarge, at: BodyPlace()))
        }
    }

    private static func id(_ header: ArraySlice<UInt8>) -> String {
        let rest = header.drop { isSpace($0) }.dropFirst().drop { isSpace($0) }
        return String(decoding: rest.prefix { !isSpace($0) }, as: UTF8.self)
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }
}
