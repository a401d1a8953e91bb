/// Sequences of different lengths, packed one after the other without padding.
///
/// `rows` is `[R, C]` float32 (features) or `[R]` int64 (tokens), with `R` the sum of the `B` lengths;
/// sequence `b` is rows `offsets[b] ..< offsets[b + 1]`.
public struct SequenceBatch: Sendable, Equatable {
    /// All positions of all sequences.
    public let rows: Tensor
    /// `B + 1` row numbers; the first is 0, the last is the number of rows.
    public let offsets: [Int]

    /// Packs sequences that already lie one after the other.
    ///
    /// - Parameters:
    ///   - rows: `[R, C]` or `[R]`.
    ///   - lengths: `[B]`, each at least 0, with sum `R`.
    /// - Throws: ``ShapeError/rankMismatch(expected:actual:)`` for a scalar,
    ///   ``ShapeError/negativeDimension(axis:length:)``, ``ShapeError/tooLarge(dimensions:)`` or
    ///   ``ShapeError/dimensionMismatch(axis:expected:actual:)`` if the lengths do not add up to `R`.
    public init(rows: Tensor, lengths: [Int]) throws(ShapeError) {
        guard rows.shape.rank >= 1 else { throw .rankMismatch(expected: 1, actual: rows.shape.rank) }
        var offsets = [0]
        offsets.reserveCapacity(lengths.count + 1)
        var total = 0
        for (index, length) in lengths.enumerated() {
            guard length >= 0 else { throw .negativeDimension(axis: index, length: length) }
            let (sum, overflow) = total.addingReportingOverflow(length)
            guard !overflow else { throw .tooLarge(dimensions: lengths) }
            total = sum
            offsets.append(total)
        }
        guard total == rows.shape[0] else {
            throw .dimensionMismatch(axis: 0, expected: total, actual: rows.shape[0])
        }
        self.rows = rows
        self.offsets = offsets
    }

    /// A batch without sequences.
    public static let empty = SequenceBatch(rows: Tensor(repeating: Int64(0), shape: [0]), offsets: [0])

    private init(rows: Tensor, offsets: [Int]) {
        self.rows = rows
        self.offsets = offsets
    }

    /// The number of sequences, `B`.
    public var count: Int { offsets.count - 1 }
    /// The number of positions of all sequences, `R`.
    public var rowCount: Int { rows.shape[0] }
    /// The length of each sequence.
    public var lengths: [Int] { (0..<count).map { offsets[$0 + 1] - offsets[$0] } }

    /// The rows of one sequence, `[L, C]` or `[L]`; no element moves.
    public subscript(index: Int) -> Tensor { rows.slice(offsets[index]..<offsets[index + 1]) }

    /// Some neighbouring sequences as a batch of their own; no element moves.
    ///
    /// - Parameter range: Within `0 ..< count`.
    /// - Returns: A batch that shares this one's memory.
    public func slice(_ range: Range<Int>) -> SequenceBatch {
        let start = offsets[range.lowerBound]
        return SequenceBatch(
            rows: rows.slice(start..<offsets[range.upperBound]),
            offsets: offsets[range.lowerBound...range.upperBound].map { $0 - start }
        )
    }

    /// One batch with the sequences of several, in order.
    ///
    /// - Parameter batches: At least one; all with the same element type and the same number of features.
    /// - Returns: The only batch itself, or a packed copy of all.
    /// - Throws: ``ShapeError/elementTypeMismatch(expected:actual:)``,
    ///   ``ShapeError/dimensionMismatch(axis:expected:actual:)``, or ``ShapeError/tooLarge(dimensions:)``.
    public static func concatenating(_ batches: [SequenceBatch]) throws(ShapeError) -> SequenceBatch {
        precondition(!batches.isEmpty, "at least one batch")
        let first = batches[0]
        if batches.count == 1 { return first }
        var dimensions = first.rows.shape.dimensions
        dimensions[0] = 0
        for batch in batches {
            let rows = batch.rows
            guard rows.elementType == first.rows.elementType else {
                throw .elementTypeMismatch(expected: first.rows.elementType, actual: rows.elementType)
            }
            guard rows.shape.rank == dimensions.count else {
                throw .rankMismatch(expected: dimensions.count, actual: rows.shape.rank)
            }
            for axis in 1..<max(1, dimensions.count) where rows.shape[axis] != dimensions[axis] {
                throw .dimensionMismatch(axis: axis, expected: dimensions[axis], actual: rows.shape[axis])
            }
            dimensions[0] += batch.rowCount
        }
        var packed = Tensor(
            uninitialized: first.rows.elementType,
            shape: try Shape(checking: dimensions)
        )
        var offsets = [0]
        packed.withMutableBytes { target in
            var position = 0
            for batch in batches {
                batch.rows.withBytes { source in
                    UnsafeMutableRawBufferPointer(rebasing: target[position..<position + source.count])
                        .copyMemory(from: source)
                    position += source.count
                }
            }
        }
        for batch in batches {
            let start = offsets[offsets.count - 1]
            offsets.append(contentsOf: batch.offsets.dropFirst().map { $0 + start })
        }
        return SequenceBatch(rows: packed, offsets: offsets)
    }
}
