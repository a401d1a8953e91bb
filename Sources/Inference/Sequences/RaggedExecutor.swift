import TensorCore

/// Runs each sequence alone, as long as it is, with a mask of ones: nothing is padded, nobody has neighbours.
struct RaggedExecutor: SequenceExecutor {
    let plan: ExecutionPlan
    let layout: InputLayout
    let rules: [OutputRule]

    func run(_ batch: SequenceBatch) throws(ExecutionError) -> [SequenceOutput] {
        guard batch.count > 0 else { throw .emptyBatch }
        var collectors = rules.map { OutputCollector($0) }
        for index in 0..<batch.count {
            let single: SequenceBatch = batch.slice(index..<index + 1)
            guard single.rowCount > 0 else { throw .emptySequence(index: index) }
            let values = try plan.run(try layout.inputs(single))
            for position in rules.indices {
                try collectors[position].append(values[position], length: single.rowCount)
            }
        }
        var outputs: [SequenceOutput] = []
        for collector in collectors { outputs.append(try collector.output()) }
        return outputs
    }
}
