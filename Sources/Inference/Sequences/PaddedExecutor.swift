import TensorCore

/// Runs all sequences at once: padded on the right to the longest, masked, the answers cut back to each length.
///
/// Where an output has another number of positions than its sequence, as after a stride, only sequences of one length
/// can be cut apart: then those of each length are run together.
struct PaddedExecutor: SequenceExecutor {
    let plan: ExecutionPlan
    let layout: InputLayout
    let rules: [OutputRule]

    func run(_ batch: SequenceBatch) throws(ExecutionError) -> [SequenceOutput] {
        let values = try plan.run(try layout.inputs(batch))
        let lengths = batch.lengths
        let padded = lengths.max() ?? 0
        let isUniform = lengths.allSatisfy { $0 == padded }
        var outputs: [SequenceOutput] = []
        for (rule, value) in zip(rules, values) {
            let axes = try rule.axes(value.shape, count: batch.count, length: padded)
            guard let timeAxis = axes.time else {
                outputs.append(SequenceOutput(name: rule.name, rows: value, lengths: nil))
                continue
            }
            let given = value.shape[timeAxis]
            guard given == padded || isUniform else { return try runByLength(batch) }
            let counts = isUniform ? lengths.map { _ in given } : lengths
            let rows = try rule.sequencesFirst(value, batchAxis: axes.batch, timeAxis: timeAxis)
            var parts: [Tensor] = []
            for (index, count) in counts.enumerated() {
                parts.append(rows.element(at: index).slice(0..<count))
            }
            outputs.append(SequenceOutput(name: rule.name, rows: try rule.pack(parts), lengths: counts))
        }
        return outputs
    }

    /// Runs the sequences of each length together, and puts the answers in the order of the batch.
    private func runByLength(_ batch: SequenceBatch) throws(ExecutionError) -> [SequenceOutput] {
        let groups = Dictionary(grouping: 0..<batch.count) { batch[$0].shape[0] }
        var parts = [[Int: Tensor]](repeating: [:], count: rules.count)
        var isPerPosition = [Bool](repeating: false, count: rules.count)
        for (_, indices) in groups.sorted(by: { $0.key < $1.key }) {
            let group: SequenceBatch
            do throws(ShapeError) {
                group = try .concatenating(indices.map { batch.slice($0..<$0 + 1) })
            } catch {
                throw .batch(error)
            }
            for (position, output) in try run(group).enumerated() {
                isPerPosition[position] = output.lengths != nil
                var start = 0
                for (row, index) in indices.enumerated() {
                    let end = start + (output.lengths?[row] ?? 1)
                    parts[position][index] = output.rows.slice(start..<end)
                    start = end
                }
            }
        }
        var outputs: [SequenceOutput] = []
        for (position, rule) in rules.enumerated() {
            let ordered = (0..<batch.count).compactMap { parts[position][$0] }
            outputs.append(
                SequenceOutput(
                    name: rule.name,
                    rows: try rule.pack(ordered),
                    lengths: isPerPosition[position] ? ordered.map { $0.shape[0] } : nil
                )
            )
        }
        return outputs
    }
}
