import Inference
import TensorCore

/// Tries lengths as they are served, and tells which fail.
struct LengthCheck {
    struct Result {
        let check: VerificationReport.Check
        let tried: [Int]
        let failures: [VerificationReport.LengthFailure]
    }

    let verifier: ModelVerifier

    /// The lengths that fail, and the rule if there is one.
    func result() -> Result {
        var lengths = Set(ModelVerifier.probeLengths)
        for sequence in verifier.sequences { lengths.insert(sequence.rowCount) }
        if let limit = verifier.limit, case .range(let range) = limit.lengths {
            lengths.formUnion([range.lowerBound - 1, range.lowerBound])
            if range.upperBound < .max { lengths.formUnion([range.upperBound, range.upperBound + 1]) }
        }
        let tried = lengths.filter { $0 > 0 }.sorted()
        var failures: [VerificationReport.LengthFailure] = []
        let request = OutputRequest.outputs(verifier.model.predictOutputs)
        let executor = try? verifier.model.executor(for: request, batching: .ragged)
        for length in tried {
            guard let batch = verifier.probes.batch(lengths: [length]), let executor else { continue }
            do throws(ExecutionError) {
                _ = try executor.run(batch)
                if let limit = verifier.limit, !limit.allows(length) {
                    failures.append(.init(length: length, reason: "answered, but not from all positions"))
                }
            } catch {
                failures.append(.init(length: length, reason: "\(error)"))
            }
        }
        return Result(check: check(tried, failures), tried: tried, failures: failures)
    }

    private func check(
        _ tried: [Int],
        _ failures: [VerificationReport.LengthFailure]
    ) -> VerificationReport.Check {
        if let limit = verifier.limit {
            let isFault =
                switch limit.lengths {
                case .range: limit.fixedLength != nil
                case .irregular: true
                }
            let detail = "\(limit)\(limit.hint.map { "; \($0)" } ?? "")"
            var check = VerificationReport.Check(
                .lengths,
                isFault ? .failed : .noted,
                detail,
                comparisons: tried.count
            )
            if case .node(let path, let type, _) = limit.cause {
                check.node = "\(path)"
                check.operatorType = type
            }
            return check
        }
        guard let first = failures.first else {
            let words = "sequences of \(tried.first ?? 1) to \(tried.last ?? 1) positions are answered"
            return .init(.lengths, .held, words, comparisons: tried.count)
        }
        let words = "sequences of some lengths, such as \(first.length), fail: \(first.reason)"
        return .init(.lengths, .failed, words, comparisons: tried.count)
    }
}
