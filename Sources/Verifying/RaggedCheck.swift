import Inference
import TensorCore

/// Compares, as served, sequences of different lengths together with each alone, bit for bit.
struct RaggedCheck {
    let verifier: ModelVerifier

    /// Whether a sequence gets the bits it gets alone, in a batch and in the same batch shuffled.
    func check() throws(PlanError) -> VerificationReport.Check {
        let request = OutputRequest.outputs(verifier.model.predictOutputs)
        let executor = try verifier.model.executor(for: request, batching: .ragged)
        var taken: [(batch: SequenceBatch, answer: [SequenceOutput])] = []
        var reason: ExecutionError?
        for sequence in verifier.sequences where sequence.rowCount > 0 {
            do throws(ExecutionError) {
                taken.append((sequence, try executor.run(sequence)))
            } catch {
                reason = error
            }
        }
        guard !taken.isEmpty else {
            return .init(.ragged, .notChecked, "no sequence can be run\(reason.map { ": \($0)" } ?? "")")
        }
        let orders = [Array(taken.indices), taken.indices.reversed(), Self.shuffled(taken.indices)]
        var worst: (name: String, difference: Double)?
        for order in orders {
            do throws(ExecutionError) {
                guard let batch = try? SequenceBatch.concatenating(order.map { taken[$0].batch }) else {
                    continue
                }
                let together = try executor.run(batch)
                for (position, output) in together.enumerated() {
                    let found = Self.difference(output, order.map { taken[$0].answer[position] })
                    if found > worst?.difference ?? 0 { worst = (output.name, found) }
                }
            } catch {
                return .init(.ragged, .failed, "sequences that are answered alone fail together: \(error)")
            }
        }
        let comparisons = taken.count * orders.count
        guard let worst else {
            let words = "served ragged, every sequence gets the bits that it gets alone"
            return .init(.ragged, .held, words, comparisons: comparisons)
        }
        let found = Dependence(
            output: worst.name,
            difference: worst.difference,
            path: nil,
            operatorType: nil,
            differenceAtNode: nil
        )
        let words = "served ragged, a sequence gets other bits than alone"
        return .init(.ragged, .failed, found, because: words, comparisons: comparisons)
    }

    private static func difference(_ together: SequenceOutput, _ alone: [SequenceOutput]) -> Double {
        var difference = Difference()
        var start = 0
        for (index, one) in alone.enumerated() {
            let end = start + (together.lengths?[index] ?? 1)
            guard end <= together.rows.shape[0] else { return .infinity }
            let part = together.rows.slice(start..<end)
            // Only equal bits count as equal: 0 and -0 differ, and the least rounding is one too much.
            if part != one.rows {
                difference.add(part, one.rows)
                if difference.largest == 0 { return .leastNonzeroMagnitude }
            }
            start = end
        }
        return difference.largest
    }

    /// An order without order, the same each time.
    private static func shuffled(_ indices: Range<Int>) -> [Int] {
        indices.sorted { ($0 &* 7919 % 101, $0) < ($1 &* 7919 % 101, $1) }
    }
}
