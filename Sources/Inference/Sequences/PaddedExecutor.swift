import TensorCore

/// Runs all sequences at once: padded on the right to the longest, masked, the answers cut back to each length.
struct PaddedExecutor: SequenceExecutor {
    let plan: ExecutionPlan
    let layout: InputLayout
    let rules: [OutputRule]

    func run(_ batch: SequenceBatch) throws(ExecutionError) -> [SequenceOutput] {
        let values = try plan.run(try layout.inputs(batch))
        let lengths = batch.lengths
        let padded = lengths.max() ?? 0
        var outputs: [SequenceOutput] = []
        for (rule, value) in zip(rules, values) {
            let timeAxis = try rule.timeAxis(value.shape)
            guard value.shape[0] == batch.count else { throw rule.fault(value.shape) }
            guard let timeAxis else {
                outputs.append(SequenceOutput(name: rule.name, rows: value, lengths: nil))
                continue
            }
            // A value with another number of positions fits only if it has as many for every sequence.
            let given = value.shape[timeAxis]
            let isUniform = lengths.allSatisfy { $0 == padded }
            guard given == padded || isUniform else { throw rule.fault(value.shape) }
            let counts = isUniform ? lengths.map { _ in given } : lengths
            let rows = try rule.timeSecond(value, timeAxis: timeAxis)
            var parts: [Tensor] = []
            for (index, count) in counts.enumerated() {
                parts.append(rows.element(at: index).slice(0..<count))
            }
            outputs.append(SequenceOutput(name: rule.name, rows: try rule.pack(parts), lengths: counts))
        }
        return outputs
    }
}
