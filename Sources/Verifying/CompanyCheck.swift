import Inference
import TensorCore

/// Compares a sequence alone with the same sequence beside others of its length, in the model as it is written.
struct CompanyCheck {
    let verifier: ModelVerifier

    /// Whether other sequences change an answer.
    func check() -> VerificationReport.Check {
        var comparisons = 0
        var worst: Dependence?
        var reason: ExecutionError?
        for (index, sequence) in verifier.sequences.enumerated() {
            let length = sequence.rowCount
            guard length > 0,
                let others = verifier.probes.batch(
                    lengths: [Int](repeating: length, count: 2),
                    seed: UInt64(index) + 1001
                ), let batch = try? SequenceBatch.concatenating([sequence, others])
            else { continue }
            do throws(ExecutionError) {
                let alone = try verifier.trace.run(verifier.trace.inputs.inputs(sequence))
                let together = try verifier.trace.run(verifier.trace.inputs.inputs(batch))
                comparisons += 1
                let found = verifier.trace.compare(alone, together, tolerance: ModelVerifier.tolerance)
                worst = Dependence.worse(worst, found)
            } catch {
                reason = error
            }
        }
        guard comparisons > 0 else {
            return .init(.company, .notChecked, "no batch can be run\(reason.map { ": \($0)" } ?? "")")
        }
        guard let worst else {
            let words = "other sequences of a batch do not change an answer"
            return .init(.company, .held, words, comparisons: comparisons)
        }
        return .init(
            .company,
            .failed,
            worst,
            because: "the model as such depends on the other sequences of a batch",
            comparisons: comparisons
        )
    }
}
