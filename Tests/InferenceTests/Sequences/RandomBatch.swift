import Inference
import TensorCore
import TestSupport

/// Sequences that any model of a signature takes.
enum RandomBatch {
    /// Sequences of some lengths, always the same ones.
    static func of(_ model: SequenceModel, _ lengths: [Int], seed: UInt64 = 5) throws -> SequenceBatch {
        var random = SplitMix(seed: seed)
        let count = lengths.reduce(0, +)
        switch model.signature.sequence.kind {
        case .tokens:
            let values = (0..<count).map { _ in Int64.random(in: 0..<20, using: &random) }
            return try SequenceBatch(rows: Tensor(values, shape: Shape(checking: [count])), lengths: lengths)
        case .features(_, let channels):
            let values = (0..<count * channels).map { _ in Float.random(in: -2...2, using: &random) }
            return try SequenceBatch(
                rows: Tensor(values, shape: Shape(checking: [count, channels])),
                lengths: lengths
            )
        }
    }
}
