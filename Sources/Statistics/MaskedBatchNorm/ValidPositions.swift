internal import CKernels
internal import TensorCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The valid positions of a batch, as ascending runs of each sequence.
struct ValidPositions: Sendable {
    /// L.
    let length: Int
    /// The runs of all sequences, one sequence after another.
    private(set) var runs: [sn_run] = []
    /// Where in ``runs`` those of each sequence begin, and the number of all, `[B + 1]`.
    private(set) var starts = [0]
    /// The number of valid positions of each sequence, `[B]`.
    private(set) var counts: [Int] = []

    /// The number of valid positions of all sequences.
    private(set) var total = 0
    /// The most valid positions of a sequence that has more than one run.
    private(set) var longestBroken = 0

    /// B.
    var batch: Int { counts.count }

    /// Every position of every sequence.
    init(batch: Int, length: Int) {
        self.length = length
        reserve(batch)
        for _ in 0..<batch { append(length) }
    }

    /// The first positions of every sequence.
    ///
    /// - Throws: ``MaskedBatchNormError/maskShape(expected:actual:)`` or
    ///   ``MaskedBatchNormError/maskLength(index:)``.
    init(_ mask: SequenceMask, batch: Int, length: Int) throws(MaskedBatchNormError) {
        guard mask.lengths.count == batch && mask.paddedLength <= length else {
            throw .maskShape(
                expected: [batch, 1, length],
                actual: [mask.lengths.count, 1, mask.paddedLength]
            )
        }
        self.length = length
        reserve(batch)
        for (index, count) in mask.lengths.enumerated() {
            guard count >= 0 else { throw .maskLength(index: index) }
            append(count)
        }
    }

    /// The positions where a tensor of B * L elements is 1 and not 0.
    ///
    /// - Throws: ``MaskedBatchNormError/maskType(_:)`` or ``MaskedBatchNormError/maskValue(index:)``.
    init(_ mask: Tensor, batch: Int, length: Int) throws(MaskedBatchNormError) {
        self.length = length
        reserve(batch)
        switch mask.elementType {
        case .float32: try scan(mask, Float.self)
        case .float64: try scan(mask, Double.self)
        case .int8: try scan(mask, Int8.self)
        case .int16: try scan(mask, Int16.self)
        case .int32: try scan(mask, Int32.self)
        case .int64: try scan(mask, Int64.self)
        case .uint8: try scan(mask, UInt8.self)
        case .uint16: try scan(mask, UInt16.self)
        case .uint32: try scan(mask, UInt32.self)
        case .uint64: try scan(mask, UInt64.self)
        case .bool: try scan(mask, UInt8.self)
        default: throw .maskType(mask.elementType)
        }
    }

    /// Consecutive sequences and their valid positions.
    struct Block: Sendable {
        /// Begins with one that has a valid position.
        let sequences: Range<Int>
        /// The number of their valid positions, above 0.
        let count: Int
        /// The first valid position of the first sequence.
        let firstPosition: Int
    }

    /// All sequences with valid positions, in blocks that end with the sequence that fills them.
    func blocks(of positions: Int) -> [Block] {
        var blocks: [Block] = []
        var start = 0
        var filled = 0
        for (sequence, count) in counts.enumerated() where count > 0 {
            if filled == 0 { start = sequence }
            filled += count
            if filled >= positions {
                blocks.append(block(start..<(sequence + 1), count: filled))
                filled = 0
            }
        }
        if filled > 0 { blocks.append(block(start..<batch, count: filled)) }
        return blocks
    }

    private func block(_ sequences: Range<Int>, count: Int) -> Block {
        Block(sequences: sequences, count: count, firstPosition: runs[starts[sequences.lowerBound]].begin)
    }

    private mutating func reserve(_ batch: Int) {
        runs.reserveCapacity(batch)
        starts.reserveCapacity(batch + 1)
        counts.reserveCapacity(batch)
    }

    private mutating func append(_ count: Int) {
        if count > 0 { runs.append(sn_run(begin: 0, end: count)) }
        finishSequence(count)
    }

    private mutating func finishSequence(_ count: Int) {
        if runs.count - starts[starts.count - 1] > 1 { longestBroken = max(longestBroken, count) }
        starts.append(runs.count)
        counts.append(count)
        total += count
    }

    private mutating func scan<T: TensorElement & Numeric>(
        _ mask: Tensor,
        _ type: T.Type
    ) throws(MaskedBatchNormError) {
        try mask.withRawPointer { bytes throws(MaskedBatchNormError) in
            let elements = bytes.assumingMemoryBound(to: T.self)
            for row in 0..<(length > 0 ? mask.count / length : 0) {
                try appendSequence(elements + row * length, at: row * length)
            }
        }
    }

    private mutating func appendSequence<T: Numeric>(
        _ elements: UnsafePointer<T>,
        at offset: Int
    ) throws(MaskedBatchNormError) {
        var (position, count) = (0, 0)
        while position < length {
            let value = elements[position]
            guard value == 0 || value == 1 else { throw .maskValue(index: offset + position) }
            let end = Self.end(of: value, in: elements, from: position + 1, to: length)
            if value == 1 {
                runs.append(sn_run(begin: position, end: end))
                count += end - position
            }
            position = end
        }
        finishSequence(count)
    }

    /// The first index from `start`, above 0, on at which there is another value than before it.
    @inline(__always)
    private static func end<T: Equatable>(
        of value: T,
        in elements: UnsafePointer<T>,
        from start: Int,
        to end: Int
    ) -> Int {
        var index = start
        // Elements that all have their left neighbour's bits, many at a time.
        for step in [64, 8] {
            let bytes = step * MemoryLayout<T>.stride
            while index + step <= end && memcmp(elements + index, elements + (index - 1), bytes) == 0 {
                index += step
            }
        }
        while index < end && elements[index] == value { index += 1 }
        return index
    }
}
