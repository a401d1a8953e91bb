import Inference
import TensorCore

extension SignatureCheck {
    /// Every sequence that breaks a rule, after ``check(_:)`` has found one.
    ///
    /// - Returns: The faults in order; empty if the batch as a whole is at fault.
    func faults(_ batch: SequenceBatch) -> [SequenceFault] {
        (0..<batch.count).compactMap { index in
            do throws(ServingError) {
                try check(batch.slice(index..<index + 1))
                return nil
            } catch {
                guard case .invalidInput(_, let reason) = error else { return nil }
                return SequenceFault(index: index, error: .invalidInput(index: index, reason: reason))
            }
        }
    }
}

extension SequenceBatch {
    /// The sequences but some; nil if none is left.
    func leavingOut(_ indices: [Int]) -> SequenceBatch? {
        let out = Set(indices)
        let left = (0..<count).filter { !out.contains($0) }
        guard !left.isEmpty else { return nil }
        return try? SequenceBatch.concatenating(left.map { slice($0..<$0 + 1) })
    }
}
