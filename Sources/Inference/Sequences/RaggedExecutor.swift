import Kernels
import TensorCore

/// Runs each sequence alone, as long as it is, with a mask of ones: nothing is padded, nobody has neighbours.
struct RaggedExecutor: SequenceExecutor {
    let plan: ExecutionPlan
    let layout: InputLayout
    let rules: [OutputRule]

    func run(_ batch: SequenceBatch) throws(ExecutionError) -> [SequenceOutput] {
        guard batch.count > 0 else { throw .emptyBatch }
        var results = [Result<[Tensor], ExecutionError>?](repeating: nil, count: batch.count)
        results.withUnsafeMutableBufferPointer { results in
            let work = batch.rowCount / batch.count * Parallel.workOfRow
            Parallel.forEach(batch.count, work: work) {
                for index in $0 {
                    let result = Result { () throws(ExecutionError) in try values(batch, index) }
                    results[index] = result
                    guard case .success = result else { return }
                }
            }
        }
        var collectors = rules.map { OutputCollector($0) }
        for (index, result) in results.enumerated() {
            // What was left out comes after what failed.
            guard let values = try result?.get() else { break }
            for position in rules.indices {
                try collectors[position].append(values[position], length: batch.lengths[index])
            }
        }
        var outputs: [SequenceOutput] = []
        for collector in collectors { outputs.append(try collector.output()) }
        return outputs
    }

    private func values(_ batch: SequenceBatch, _ index: Int) throws(ExecutionError) -> [Tensor] {
        let single: SequenceBatch = batch.slice(index..<index + 1)
        guard single.rowCount > 0 else { throw .emptySequence(index: index) }
        return try plan.run(try layout.inputs(single))
    }
}
