import TensorCore

/// Runs each sequence alone, as long as it is, with a mask of ones: nothing is padded, nobody has neighbours.
struct RaggedExecutor: SequenceExecutor {
    let plan: ExecutionPlan
    let layout: InputLayout
    let rules: [OutputRule]

    func run(_ batch: SequenceBatch) throws(ExecutionError) -> [SequenceOutput] {
        guard batch.count > 0 else { throw .emptyBatch }
        var parts = [[Tensor]](repeating: [], count: rules.count)
        var lengths = [[Int]?](repeating: nil, count: rules.count)
        for index in 0..<batch.count {
            let single: SequenceBatch = batch.slice(index..<index + 1)
            guard single.rowCount > 0 else { throw .emptySequence(index: index) }
            let values = try plan.run(try layout.inputs(single))
            for (position, rule) in rules.enumerated() {
                let value = values[position]
                let axes = try rule.axes(value.shape, count: 1, length: single.rowCount)
                guard let timeAxis = axes.time else {
                    parts[position].append(value)
                    continue
                }
                let rows = try rule.sequencesFirst(value, batchAxis: axes.batch, timeAxis: timeAxis)
                    .element(at: 0)
                parts[position].append(rows)
                lengths[position] = (lengths[position] ?? []) + [rows.shape[0]]
            }
        }
        var outputs: [SequenceOutput] = []
        for (position, rule) in rules.enumerated() {
            outputs.append(
                SequenceOutput(
                    name: rule.name,
                    rows: try rule.pack(parts[position]),
                    lengths: lengths[position]
                )
            )
        }
        return outputs
    }
}
