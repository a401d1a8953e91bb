/// What an axis of a value of a training graph runs over.
enum SequenceAxis: Hashable, Sendable {
    /// The sequences of the batch, in their order.
    case batch
    /// All positions that the sequences are padded to, in their order.
    case time
    /// Nothing that belongs to sequences; with the length, if that is known.
    case other(Int?)
    /// Sequences or positions in another order or number, or together on one axis.
    case mixed

    /// Whether the axis has to do with sequences or positions.
    var isOfSequences: Bool {
        if case .other = self { false } else { true }
    }

    /// The length; nil for one that is not known from the graph alone.
    var length: Int? {
        if case .other(let length) = self { length } else { nil }
    }

    /// What two axes that meet in an operator give: an axis that is not of sequences follows the one that is.
    func joined(with another: SequenceAxis) -> SequenceAxis {
        switch (self, another) {
        case (.mixed, _), (_, .mixed), (.batch, .time), (.time, .batch): .mixed
        case (.batch, _), (_, .batch): .batch
        case (.time, _), (_, .time): .time
        case (.other(let a), .other(let b)): .other(a == 1 ? b : b == 1 || a == b ? a : nil)
        }
    }
}

extension [SequenceAxis] {
    /// The axes that the broadcast of two values has.
    func broadcast(with another: [SequenceAxis]) -> [SequenceAxis] {
        let rank = Swift.max(count, another.count)
        let one = SequenceAxis.other(1)
        let a = [SequenceAxis](repeating: one, count: rank - count) + self
        let b = [SequenceAxis](repeating: one, count: rank - another.count) + another
        return zip(a, b).map { $0.joined(with: $1) }
    }
}
