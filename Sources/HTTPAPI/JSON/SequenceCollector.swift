import CSimdJSON
import TensorCore

/// Packs sequences one after the other: checks each as it comes, then writes all numbers once.
struct SequenceCollector {
    private let reader: SequenceReader
    private var lengths: [Int] = []
    private var tokens: [Int64] = []
    private var matrices: [(key: String?, value: JSONValue)] = []

    init(_ reader: SequenceReader) {
        self.reader = reader
    }

    /// Takes a sequence: bare, or as a member of an object.
    mutating func add(_ value: JSONValue, others: SequenceReader.OtherMembers) throws(BodyError) {
        guard value.kind == CSJ_OBJECT else { return try add(value, key: nil) }
        let member = try reader.member(of: value, others: others)
        do throws(BodyError) {
            try add(member.value, key: member.key)
        } catch {
            throw error.inside(.key(member.key))
        }
    }

    private mutating func add(_ value: JSONValue, key: String?) throws(BodyError) {
        if let channels = reader.channels {
            try value.require(.array)
            try addMatrix(value, columns: channels, key: key)
        } else if value.kind == CSJ_STRING {
            try addLetters(value)
        } else {
            try value.require(.array, .string)
            try addTokens(value)
        }
    }

    private mutating func addMatrix(_ value: JSONValue, columns: Int, key: String?) throws(BodyError) {
        let length = value.count
        try reader.check(length: length)
        if let error = csj_check_rows(value.parser, value.at, columns).error(expected: columns) {
            throw error
        }
        lengths.append(length)
        matrices.append((key, value))
    }

    private mutating func addLetters(_ value: JSONValue) throws(BodyError) {
        guard let letters = reader.letters else { throw .invalidInput(.noAlphabet, at: BodyPlace()) }
        let start = tokens.count
        if let position = letters.append(value.utf8, to: &tokens) {
            throw .invalidInput(.letterOutsideAlphabet, at: BodyPlace([.index(position)]))
        }
        try reader.check(length: tokens.count - start)
        lengths.append(tokens.count - start)
    }

    private mutating func addTokens(_ value: JSONValue) throws(BodyError) {
        let length = value.count
        try reader.check(length: length)
        let start = tokens.count
        let range = reader.tokenIDs
        tokens.append(contentsOf: repeatElement(0, count: length))
        let place = tokens.withUnsafeMutableBufferPointer { tokens in
            csj_read_int64s(
                value.parser,
                value.at,
                range.lowerBound,
                range.upperBound,
                tokens.baseAddress.map { $0 + start }
            )
        }
        if let error = place.error(integers: range) { throw error }
        lengths.append(length)
    }

    /// The batch; `indexed` if an error's place begins with the number of the sequence.
    func batch(indexed: Bool) throws(BodyError) -> SequenceBatch {
        let rows = reader.channels == nil ? try tokenRows() : try featureRows(indexed: indexed)
        do throws(ShapeError) {
            return try SequenceBatch(rows: rows, lengths: lengths)
        } catch {
            throw .invalidInput(.tooLarge, at: BodyPlace())
        }
    }

    private func tokenRows() throws(BodyError) -> Tensor {
        do throws(ShapeError) {
            return try Tensor(tokens, shape: Shape(checking: [tokens.count]))
        } catch {
            throw .invalidInput(.tooLarge, at: BodyPlace())
        }
    }

    private func featureRows(indexed: Bool) throws(BodyError) -> Tensor {
        let channels = reader.channels ?? 0
        let shape: Shape
        do throws(ShapeError) {
            shape = try Shape(checking: [lengths.reduce(0, +), channels])
        } catch {
            throw .invalidInput(.tooLarge, at: BodyPlace())
        }
        return try Tensor(of: Float.self, shape: shape) { (numbers) throws(BodyError) in
            guard var next = numbers.baseAddress else { return }
            for (index, matrix) in matrices.enumerated() {
                let place = csj_read_rows(matrix.value.parser, matrix.value.at, channels, next)
                if let error = place.error(expected: channels) {
                    let keyed = matrix.key.map { error.inside(.key($0)) } ?? error
                    throw indexed ? keyed.inside(.index(index)) : keyed
                }
                next += lengths[index] * channels
            }
        }
    }
}
