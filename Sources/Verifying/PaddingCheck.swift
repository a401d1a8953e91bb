import Inference
import TensorCore

/// Compares a sequence alone with the same sequence padded, in the model as it is written.
struct PaddingCheck {
    /// How far sequences are padded.
    static let paddings = [1, 8, 33]

    let verifier: ModelVerifier

    /// Whether padding, or what stands at it, changes an answer.
    func check(_ kind: VerificationReport.Check.Kind) -> VerificationReport.Check {
        if let length = verifier.limit?.fixedLength {
            return .init(kind, .notChecked, "only sequences of length \(length) can be run")
        }
        var comparisons = 0
        var worst: Dependence?
        var reason: ExecutionError?
        for (index, sequence) in verifier.sequences.enumerated() {
            let length = sequence.rowCount
            guard length > 0 else { continue }
            for padding in Self.paddings where verifier.limit?.allows(length + padding) ?? true {
                guard
                    let longer = verifier.probes.batch(lengths: [length + padding], seed: UInt64(index) + 101)
                else { continue }
                do throws(ExecutionError) {
                    let alone = try verifier.trace.run(verifier.trace.inputs.inputs(sequence))
                    guard let inputs = try padded(sequence, longer, kind) else { continue }
                    let together = try verifier.trace.run(inputs)
                    comparisons += 1
                    let found = verifier.trace.compare(alone, together, tolerance: ModelVerifier.tolerance)
                    worst = Dependence.worse(worst, found)
                } catch {
                    reason = error
                }
            }
        }
        guard comparisons > 0 else {
            return .init(kind, .notChecked, "no padded sequence can be run\(reason.map { ": \($0)" } ?? "")")
        }
        let content = kind == .paddingContent
        guard let worst else {
            let words =
                content
                ? "what stands at padding does not change an answer" : "padding does not change an answer"
            return .init(kind, .held, words, comparisons: comparisons)
        }
        return .init(
            kind,
            // The padding is made by who serves the model, and is 0 or the pad token.
            content ? .noted : .failed,
            worst,
            because: content
                ? "the model depends on what stands at padding" : "the model as such depends on padding",
            comparisons: comparisons
        )
    }

    /// The inputs of one padded sequence: with zeros or the pad token after it, or with another sequence's end.
    private func padded(
        _ sequence: SequenceBatch,
        _ longer: SequenceBatch,
        _ kind: VerificationReport.Check.Kind
    ) throws(ExecutionError) -> [String: Tensor]? {
        guard let both = try? SequenceBatch.concatenating([sequence, longer]) else { return nil }
        var inputs = try verifier.trace.inputs.inputs(both).mapValues { $0.slice(0..<1) }
        guard kind == .paddingContent else { return inputs }
        guard
            let rest = try? SequenceBatch(
                rows: longer.rows.slice(sequence.rowCount..<longer.rowCount),
                lengths: [longer.rowCount - sequence.rowCount]
            ), let joined = try? SequenceBatch.concatenating([sequence, rest]),
            let filled = try? SequenceBatch(rows: joined.rows, lengths: [longer.rowCount])
        else { return nil }
        let name = verifier.model.signature.sequence.name
        inputs[name] = try verifier.trace.inputs.inputs(filled)[name]
        return inputs
    }
}

extension Dependence {
    /// That of two which starts at the earlier node, or if both start there, which is larger.
    static func worse(_ a: Dependence?, _ b: Dependence?) -> Dependence? {
        guard let a, let b else { return a ?? b }
        let first = a.path?.steps.first?.index ?? .max
        let second = b.path?.steps.first?.index ?? .max
        if first != second { return first < second ? a : b }
        return a.difference >= b.difference ? a : b
    }
}
