import TensorCore

/// Where sequences begin in packed rows, read from an int64 tensor `[B + 1]`.
struct Segments {
    /// The first row of each sequence, and behind the last.
    let offsets: [Int]

    /// The offsets of an input, which must ascend and end with the number of rows of a tensor, if one is given.
    init(_ tensor: Tensor, rows: Int? = nil) throws(OperatorError) {
        offsets = try tensor.integers(input: 1)
        guard offsets.first == 0, zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 }),
            rows == nil || offsets.last == rows
        else { throw .inputValue(input: 1) }
    }

    /// The number of sequences.
    var count: Int { offsets.count - 1 }
    /// The number of rows.
    var rowCount: Int { offsets[offsets.count - 1] }

    /// The last sequence that begins at or before a row, in O(log B).
    func index(ofRow row: Int) -> Int {
        var (low, high) = (0, count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if offsets[middle] <= row { low = middle } else { high = middle }
        }
        return low
    }

    /// The rows of a sequence.
    subscript(_ index: Int) -> Range<Int> { offsets[index]..<offsets[index + 1] }
}
