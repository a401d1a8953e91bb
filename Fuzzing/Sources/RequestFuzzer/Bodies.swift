import HTTPAPI
import Inference
import NIOCore
import TensorCore

/// Bodies of requests, read for models of features, of letters, and of numbered tokens.
enum Bodies {
    private static let limits = DecodingLimits(
        maxSequences: 50,
        maxPositions: 200,
        maxDepth: 8,
        maxLineBytes: 1 << 10
    )
    private static let features = signature(.features(layout: .channelsFirst, channels: 2), alphabet: nil)
    private static let letters = signature(.tokens, alphabet: try? Alphabet(letters: "ACDEFGHIKLMNPQRSTVWY"))
    private static let tokens = signature(.tokens, alphabet: nil)
    private static let signatures = [features, letters, tokens]

    private static func signature(_ kind: SequenceInput.Kind, alphabet: Alphabet?) -> Signature {
        Signature(
            sequence: SequenceInput(name: "x", kind: kind),
            mask: MaskInput(name: "mask", elementType: .float32, rank: 3),
            alphabet: alphabet,
            labels: ["a", "b", "c"],
            vocabularySize: alphabet == nil ? 9 : nil
        )
    }

    /// The row format: what lies behind a body in its memory says nothing.
    static func instances(_ text: [UInt8]) {
        for signature in signatures {
            let decoder = InstancesDecoder(signature: signature, limits: limits)
            let results = buffers(text).map { body in
                attempt { () throws(BodyError) in try decoder.decode(body) }
            }
            law(same(results), "instances")
            if case .success(let request)? = results.first { check(request.batch) }
        }
    }

    /// Tensors of the open inference protocol.
    static func tensors(_ text: [UInt8]) {
        for signature in signatures {
            let decoder = TensorsDecoder(signature: signature, limits: limits)
            let results = buffers(text).map { body in
                attempt { () throws(BodyError) in try decoder.decode(body) }
            }
            law(same(results), "tensors")
            if case .success(let request)? = results.first {
                check(request.batch)
                law(request.batch.lengths.allSatisfy { $0 <= request.paddedLength }, "padded length")
            }
        }
    }

    /// JSON Lines: wherever a text is cut, its records are the same.
    static func lines(_ text: [UInt8], cut: Int) {
        for signature in signatures {
            check(JSONLinesDecoder(signature: signature, limits: limits), text, cut)
        }
    }

    /// FASTA: wherever a text is cut, its records are the same.
    static func fasta(_ text: [UInt8], cut: Int) {
        guard let decoder = try? FASTADecoder(signature: letters, limits: limits) else { return }
        check(decoder, text, cut)
    }

    private static func check(_ decoder: some RecordDecoder, _ text: [UInt8], _ cut: Int) {
        var whole = decoder
        let records = whole.records(in: ByteBuffer(bytes: text))
        var parts = decoder
        text[..<cut].withUnsafeBytes { parts.append($0) }
        var found: [SequenceRecord] = []
        while let record = parts.next() { found.append(record) }
        text[cut...].withUnsafeBytes { parts.append($0) }
        parts.finish()
        while let record = parts.next() { found.append(record) }
        law(found == records, "cuts")
        for record in records {
            if case .success(let batch) = record.sequence { check(batch) }
        }
    }

    private static func check(_ batch: SequenceBatch) {
        law(batch.lengths.allSatisfy { (1...limits.maxPositions).contains($0) }, "lengths")
        law(batch.lengths.reduce(0, +) == batch.rows.shape[0], "rows")
    }

    /// A body without room behind it, and one with brackets and digits there.
    private static func buffers(_ text: [UInt8]) -> [ByteBuffer] {
        var roomy = ByteBuffer(bytes: text + Array(repeating: UInt8(ascii: "]"), count: 40) + [0x30, 0x31])
        roomy.moveWriterIndex(to: text.count)
        return [ByteBuffer(bytes: text), roomy]
    }

    private static func attempt<T>(_ work: () throws(BodyError) -> T) -> Result<T, BodyError> {
        do throws(BodyError) {
            return .success(try work())
        } catch {
            return .failure(error)
        }
    }

    private static func same<T: Equatable>(_ results: [Result<T, BodyError>]) -> Bool {
        switch (results[0], results[1]) {
        case (.success(let a), .success(let b)): a == b
        case (.failure(let a), .failure(let b)): "\(a)" == "\(b)"
        default: false
        }
    }
}
