import TensorCore

/// The packed rows of sequences in the order in which a loop takes them: those of step 0, of step 1 and so on; within a
/// step the longest sequence first, so that those that have ended are missing at the end.
struct ScanRows {
    /// A scan input.
    enum Input {
        /// `[rows, features]` in this order: each sequence has its own.
        case rows(Tensor)
        /// `[steps, ...]`: the same for all sequences.
        case steps(Tensor)
    }

    /// For each step, the sequences that have not ended.
    let alive: [Int]
    /// The sequences, the longest first.
    let order: [Int]
    /// For each row in this order, its row where sequences follow each other.
    private let sources: [Int]

    /// The number of sequences.
    var count: Int { order.count }
    /// The number of rows.
    var rowCount: Int { sources.count }

    /// The order of the rows of sequences.
    ///
    /// - Parameters:
    ///   - offsets: The first row of each sequence, and behind the last; every sequence has a row.
    ///   - isReversed: Whether each sequence is read from its own end.
    init(offsets: [Int], isReversed: Bool) {
        let lengths = zip(offsets, offsets.dropFirst()).map { $1 - $0 }
        let order = lengths.indices.sorted { (lengths[$0], $1) > (lengths[$1], $0) }
        var alive: [Int] = []
        var sources: [Int] = []
        alive.reserveCapacity(order.first.map { lengths[$0] } ?? 0)
        sources.reserveCapacity(offsets.last ?? 0)
        var count = order.count
        for step in 0..<(order.first.map { lengths[$0] } ?? 0) {
            while count > 0, lengths[order[count - 1]] <= step { count -= 1 }
            alive.append(count)
            for sequence in order.prefix(count) {
                sources.append(
                    isReversed ? offsets[sequence + 1] - 1 - step : offsets[sequence] + step
                )
            }
        }
        self.order = order
        self.alive = alive
        self.sources = sources
    }

    /// Rows of sequences that follow each other, in this order.
    func ordered(_ x: Tensor) -> Tensor? { moving(x, sources) { ($0, $1) } }

    /// Rows in this order, sequence after sequence.
    func sequential(_ x: Tensor) -> Tensor? { moving(x, sources) { ($1, $0) } }

    /// One row a sequence, the longest first.
    func sorted(_ x: Tensor) -> Tensor? { moving(x, order) { ($0, $1) } }

    /// One row a sequence, sorted before, in the sequences' own order.
    func unsorted(_ x: Tensor) -> Tensor? { moving(x, order) { ($1, $0) } }

    /// `[steps, ...]` or `[steps, 1, ...]`, which all sequences share, as `[rows, features]`; nil for another shape.
    func repeating(_ x: Tensor) -> Tensor? {
        guard x.shape.rank >= 1, x.shape[0] == alive.count,
            x.shape.rank < 3 || (x.shape.rank == 3 && x.shape[1] == 1),
            let shape = try? Shape(checking: [rowCount, x.count / max(alive.count, 1)]),
            var y = Tensor(allocating: x.elementType, shape: shape)
        else { return nil }
        let bytes = shape[1] * x.elementType.byteCount
        x.withRawPointer { source in
            y.withMutableRawPointer { target in
                var row = 0
                for (step, count) in alive.enumerated() {
                    for _ in 0..<count {
                        (target + row * bytes).copyMemory(from: source + step * bytes, byteCount: bytes)
                        row += 1
                    }
                }
            }
        }
        return y
    }

    /// Copies whole rows: for each place in a list and its index, from where to where.
    private func moving(
        _ x: Tensor,
        _ list: [Int],
        _ move: (_ place: Int, _ index: Int) -> (from: Int, to: Int)
    )
        -> Tensor?
    {
        guard x.shape.rank >= 1, x.shape[0] == list.count,
            var y = Tensor(allocating: x.elementType, shape: x.shape)
        else { return nil }
        let bytes = x.shape.elementCount(of: 1..<x.shape.rank) * x.elementType.byteCount
        x.withRawPointer { source in
            y.withMutableRawPointer { target in
                for (index, place) in list.enumerated() {
                    let (from, to) = move(place, index)
                    (target + to * bytes).copyMemory(from: source + from * bytes, byteCount: bytes)
                }
            }
        }
        return y
    }
}
