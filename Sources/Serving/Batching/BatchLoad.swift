import TensorCore

/// How much work some sequences are.
struct BatchLoad: Hashable, Sendable {
    /// The number of sequences.
    var sequences: Int
    /// The positions of all sequences together.
    var rows: Int
    /// The positions of the longest sequence.
    var longest: Int

    /// No work.
    static let none = BatchLoad(sequences: 0, rows: 0, longest: 0)

    /// The work of both together.
    static func + (a: BatchLoad, b: BatchLoad) -> BatchLoad {
        BatchLoad(
            sequences: a.sequences + b.sequences,
            rows: a.rows + b.rows,
            longest: max(a.longest, b.longest)
        )
    }
}

/// How much work may be run at once.
struct BatchBudget: Hashable, Sendable {
    /// The most rows, at least 1; with padding, padded rows count.
    let maxRows: Int
    /// The most sequences, at least 1.
    let maxSequences: Int
    /// Whether sequences are padded to the longest.
    let padsToLongest: Bool

    /// Whether so much work stays within the budget.
    func admits(_ load: BatchLoad) -> Bool {
        guard load.sequences <= maxSequences else { return false }
        guard padsToLongest else { return load.rows <= maxRows }
        let (rows, overflow) = load.sequences.multipliedReportingOverflow(by: load.longest)
        return !overflow && rows <= maxRows
    }

    /// Cuts sequences into runs of neighbours that stay within the budget.
    ///
    /// - Parameter lengths: `[B]`.
    /// - Returns: Ranges that together are `0 ..< B`, in order; a sequence over the budget has a range of its own.
    func pieces(of lengths: [Int]) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = 0
        var load = BatchLoad.none
        for (index, length) in lengths.enumerated() {
            let sequence = BatchLoad(sequences: 1, rows: length, longest: length)
            if index > start && !admits(load + sequence) {
                pieces.append(start..<index)
                start = index
                load = .none
            }
            load = load + sequence
        }
        if start < lengths.count { pieces.append(start..<lengths.count) }
        return pieces
    }
}

extension BatchLoad {
    /// The work of a batch.
    init(_ batch: SequenceBatch) {
        self.init(sequences: batch.count, rows: batch.rowCount, longest: batch.lengths.max() ?? 0)
    }
}
