import TensorCore
import Testing

struct SequenceBatchTests {
    private func batch(_ lengths: [Int], from first: Int = 0) throws -> SequenceBatch {
        let rows = lengths.reduce(0, +)
        let values = (0..<rows * 2).map { Float(first * 2 + $0) }
        return try SequenceBatch(rows: Tensor(values, shape: [rows, 2]), lengths: lengths)
    }

    @Test func `cutting a batch anywhere and putting it together again changes nothing`() throws {
        let whole = try batch([3, 0, 1, 4])
        #expect(whole.lengths == [3, 0, 1, 4] && whole.rowCount == 8)
        for first in 0...4 {
            for second in first...4 {
                let parts = [whole.slice(0..<first), whole.slice(first..<second), whole.slice(second..<4)]
                #expect(try SequenceBatch.concatenating(parts) == whole)
            }
        }
    }

    @Test func `a sequence is its rows`() throws {
        let whole = try batch([2, 3])
        #expect(whole[0].array(of: Float.self) == [0, 1, 2, 3])
        #expect(whole[1].array(of: Float.self) == [4, 5, 6, 7, 8, 9])
    }

    @Test func `lengths that are not the rows' are refused, and so are those whose sum overflows`() throws {
        let rows = Tensor(repeating: Float(0), shape: [4, 2])
        #expect(throws: ShapeError.dimensionMismatch(axis: 0, expected: 5, actual: 4)) {
            try SequenceBatch(rows: rows, lengths: [2, 3])
        }
        #expect(throws: ShapeError.negativeDimension(axis: 1, length: -1)) {
            try SequenceBatch(rows: rows, lengths: [5, -1])
        }
        // Their sum modulo 2^64 is 4.
        let wrapping = [Int.max, Int.max, 6]
        #expect(throws: ShapeError.tooLarge(dimensions: wrapping)) {
            try SequenceBatch(rows: rows, lengths: wrapping)
        }
        #expect(throws: ShapeError.rankMismatch(expected: 1, actual: 0)) {
            try SequenceBatch(rows: Tensor(scalar: Float(0)), lengths: [])
        }
    }

    @Test func `batches of other features or another type do not go together`() throws {
        let a = try batch([2])
        let wider = try SequenceBatch(rows: Tensor(repeating: Float(0), shape: [2, 3]), lengths: [2])
        #expect(throws: ShapeError.dimensionMismatch(axis: 1, expected: 2, actual: 3)) {
            try SequenceBatch.concatenating([a, wider])
        }
        let tokens = try SequenceBatch(rows: Tensor(repeating: Int64(0), shape: [2]), lengths: [2])
        #expect(throws: ShapeError.elementTypeMismatch(expected: .float32, actual: .int64)) {
            try SequenceBatch.concatenating([a, tokens])
        }
        let flat = try SequenceBatch(rows: Tensor(repeating: Float(0), shape: [2]), lengths: [2])
        #expect(throws: ShapeError.rankMismatch(expected: 2, actual: 1)) {
            try SequenceBatch.concatenating([a, flat])
        }
    }

    @Test func `a mask is one up to each length and zero behind it, in every type`() throws {
        for lengths in [[3, 1, 0], [1], [0, 0], []] {
            let mask = SequenceMask(lengths: lengths)
            let longest = lengths.max() ?? 0
            let expected = lengths.flatMap { length in (0..<longest).map { $0 < length } }
            for rank in [2, 3] {
                let shape: Shape = rank == 2 ? [lengths.count, longest] : [lengths.count, 1, longest]
                #expect(try mask.tensor(elementType: .bool, rank: rank) == Tensor(expected, shape: shape))
                let floats = try mask.tensor(elementType: .float32, rank: rank)
                #expect(floats == (try Tensor(expected.map { $0 ? Float(1) : 0 }, shape: shape)))
                let integers = try mask.tensor(elementType: .int64, rank: rank)
                #expect(integers == (try Tensor(expected.map { $0 ? Int64(1) : 0 }, shape: shape)))
            }
            #expect(throws: ShapeError.elementTypeMismatch(expected: .float32, actual: .int8)) {
                try mask.tensor(elementType: .int8)
            }
        }
    }
}
