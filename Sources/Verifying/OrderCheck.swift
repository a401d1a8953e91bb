import Inference
import TensorCore

/// Compares a batch with the same sequences in another order, in the model as it is written.
struct OrderCheck {
    let verifier: ModelVerifier

    /// Whether the order of the sequences changes an answer.
    func check() -> VerificationReport.Check {
        // Outputs are cut apart along their first axis, so only sequences of one length can be compared.
        let groups = Dictionary(grouping: verifier.sequences, by: \.rowCount).sorted { $0.key < $1.key }
        var comparisons = 0
        var worst: (name: String, difference: Double)?
        var reason: ExecutionError?
        for (length, sequences) in groups where length > 0 {
            let made = verifier.probes.batch(lengths: [Int](repeating: length, count: 3), seed: 77)
            let parts =
                sequences.prefix(8) + (made.map { batch in (0..<3).map { batch.slice($0..<$0 + 1) } } ?? [])
            guard let forward = try? SequenceBatch.concatenating(Array(parts)),
                let backward = try? SequenceBatch.concatenating(parts.reversed())
            else { continue }
            do throws(ExecutionError) {
                let first = try verifier.trace.run(verifier.trace.inputs.inputs(forward))
                let second = try verifier.trace.run(verifier.trace.inputs.inputs(backward))
                comparisons += 1
                for name in verifier.trace.outputNames {
                    guard let a = first[name], let b = second[name] else { continue }
                    let found = Self.difference(a, b, count: parts.count)
                    if found > max(ModelVerifier.tolerance, worst?.difference ?? 0) { worst = (name, found) }
                }
            } catch {
                reason = error
            }
        }
        guard comparisons > 0 else {
            return .init(.order, .notChecked, "no batch can be run\(reason.map { ": \($0)" } ?? "")")
        }
        guard let worst else {
            let words = "the order of the sequences does not change an answer"
            return .init(.order, .held, words, comparisons: comparisons)
        }
        let found = Dependence(
            output: worst.name,
            difference: worst.difference,
            path: nil,
            operatorType: nil,
            differenceAtNode: nil
        )
        let words = "the model as such depends on the order of the sequences"
        return .init(.order, .failed, found, because: words, comparisons: comparisons)
    }

    private static func difference(_ a: Tensor, _ b: Tensor, count: Int) -> Double {
        guard a.shape == b.shape, a.shape.rank > 0, a.shape[0] == count else { return .infinity }
        var difference = Difference()
        for index in 0..<count { difference.add(a.element(at: index), b.element(at: count - 1 - index)) }
        return difference.largest
    }
}
