import Inference
import TensorCore

/// Outputs of several sequences, cut apart and put together along the sequences.
enum BatchOutputs {
    /// Makes sure that outputs have a part for each sequence.
    ///
    /// - Parameters:
    ///   - outputs: Of all sequences.
    ///   - count: The number of sequences.
    /// - Throws: ``ServingError/executionFailed(reason:)`` that names the output.
    static func check(_ outputs: [SequenceOutput], count: Int) throws(ServingError) {
        for output in outputs {
            let rows = output.rows.shape.rank == 0 ? 0 : output.rows.shape[0]
            let fits =
                if let lengths = output.lengths {
                    lengths.count == count && lengths.reduce(0, +) == rows
                } else {
                    rows == count
                }
            guard fits else { throw misshapen(output) }
        }
    }

    /// The outputs of groups of neighbouring sequences.
    ///
    /// - Parameters:
    ///   - outputs: Of all sequences.
    ///   - counts: The number of sequences of each group, in order.
    /// - Returns: The outputs of each group; they share memory with `outputs`.
    /// - Throws: ``ServingError/executionFailed(reason:)`` if an output does not have a part for each sequence.
    static func split(
        _ outputs: [SequenceOutput],
        counts: [Int]
    ) throws(ServingError) -> [[SequenceOutput]] {
        var groups = counts.map { _ in [SequenceOutput]() }
        let total = counts.reduce(0, +)
        for output in outputs {
            let sequences = try sequences(of: output)
            guard sequences.count == total else { throw misshapen(output) }
            var start = 0
            for (index, count) in counts.enumerated() {
                groups[index].append(part(sequences.slice(start..<start + count), of: output))
                start += count
            }
        }
        return groups
    }

    /// The outputs of groups of sequences as those of all.
    ///
    /// - Parameter groups: At least one; each with the same outputs in the same order.
    /// - Returns: The outputs of all sequences in order.
    /// - Throws: ``ServingError/executionFailed(reason:)`` if the groups' outputs do not fit together.
    static func join(_ groups: [[SequenceOutput]]) throws(ServingError) -> [SequenceOutput] {
        guard let first = groups.first, groups.count > 1 else { return groups.first ?? [] }
        var joined: [SequenceOutput] = []
        for (index, output) in first.enumerated() {
            var parts: [SequenceBatch] = []
            for group in groups {
                guard group.count == first.count, group[index].name == output.name,
                    (group[index].lengths == nil) == (output.lengths == nil)
                else { throw misshapen(output) }
                parts.append(try sequences(of: group[index]))
            }
            guard let all = try? SequenceBatch.concatenating(parts) else { throw misshapen(output) }
            joined.append(part(all, of: output))
        }
        return joined
    }

    /// An output as sequences: as long as its lengths say, or with one row each.
    private static func sequences(of output: SequenceOutput) throws(ServingError) -> SequenceBatch {
        let rows = output.rows
        let lengths = output.lengths ?? Array(repeating: 1, count: rows.shape.rank == 0 ? 0 : rows.shape[0])
        guard let sequences = try? SequenceBatch(rows: rows, lengths: lengths) else {
            throw misshapen(output)
        }
        return sequences
    }

    private static func part(_ sequences: SequenceBatch, of output: SequenceOutput) -> SequenceOutput {
        SequenceOutput(
            name: output.name,
            rows: sequences.rows,
            lengths: output.lengths == nil ? nil : sequences.lengths
        )
    }

    private static func misshapen(_ output: SequenceOutput) -> ServingError {
        .executionFailed(reason: "output '\(output.name)' does not have one part for each sequence")
    }
}
