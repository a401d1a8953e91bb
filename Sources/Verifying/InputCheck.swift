import Inference
import TensorCore

/// Finds the inputs that no answer depends on.
struct InputCheck {
    let verifier: ModelVerifier

    /// Inputs of the model without effect, in its order.
    func unusedInputs() -> [String] {
        let signature = verifier.model.signature
        let declared = verifier.model.model.graph.requiredInputs.map(\.name)
        return declared.filter { name in
            guard isNeeded(name) else { return true }
            let isKnown = [signature.sequence.name, signature.mask?.name, signature.lengths?.name].contains(
                name
            )
            return isKnown && !hasEffect(name)
        }
    }

    /// What is to be said of them.
    func check(unused: [String]) -> VerificationReport.Check {
        let count = verifier.model.model.graph.requiredInputs.count
        guard !unused.isEmpty else {
            return .init(.inputs, .held, "every input has an effect", comparisons: count)
        }
        let names = unused.joined(separator: ", ")
        let words = unused.count == 1 ? "input \(names) has no effect" : "inputs \(names) have no effect"
        return .init(.inputs, .failed, words, comparisons: count)
    }

    /// Whether a way leads from the input to an output.
    private func isNeeded(_ input: String) -> Bool {
        var needed = Set(verifier.trace.outputNames)
        for place in verifier.trace.places.reversed() where !needed.isDisjoint(with: place.values) {
            needed.formUnion(place.inputs)
        }
        return needed.contains(input)
    }

    /// Whether another value of the input gives other answers, for any of some sequences; true if it cannot be tried.
    private func hasEffect(_ name: String) -> Bool {
        var compared = 0
        for sequence in verifier.sequences.suffix(6) where sequence.rowCount > 1 {
            let length = sequence.rowCount
            guard let inputs = try? verifier.trace.inputs.inputs(sequence), inputs[name] != nil,
                let other = changed(inputs, name, sequence, shortened: length - max(1, length / 3)),
                let a = try? verifier.trace.run(inputs), let b = try? verifier.trace.run(other)
            else { continue }
            compared += 1
            if verifier.trace.outputNames.contains(where: { a[$0] != b[$0] }) { return true }
        }
        return compared == 0
    }

    /// The inputs with one of them as for another sequence, or as for the beginning of the same.
    private func changed(
        _ inputs: [String: Tensor],
        _ name: String,
        _ sequence: SequenceBatch,
        shortened: Int
    ) -> [String: Tensor]? {
        let layout = verifier.trace.inputs
        var inputs = inputs
        if name == verifier.model.signature.sequence.name {
            guard let other = verifier.probes.changing(sequence, after: 0, seed: 5) else { return nil }
            inputs[name] = (try? layout.inputs(other))?[name]
            return inputs
        }
        guard let short = try? SequenceBatch(rows: sequence.rows.slice(0..<shortened), lengths: [shortened]),
            let both = try? SequenceBatch.concatenating([short, sequence])
        else { return nil }
        inputs[name] = (try? layout.inputs(both))?[name]?.slice(0..<1)
        return inputs
    }
}
