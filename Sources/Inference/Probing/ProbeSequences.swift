public import TensorCore

/// Makes up sequences that a model takes, the same ones each time.
///
/// ```swift
/// let probes = ProbeSequences(signature: model.signature)
/// let batch = probes.batch(lengths: [1, 17, 64])
/// ```
public struct ProbeSequences: Sendable {
    private let kind: SequenceInput.Kind
    private let tokenLimit: Int

    /// Sequences for a model.
    ///
    /// - Parameter signature: What the model takes.
    public init(signature: Signature) {
        kind = signature.sequence.kind
        tokenLimit = max(1, signature.tokenLimit ?? 2)
    }

    /// Sequences without any order in them, of numbers from -2 to 2 or of any tokens.
    ///
    /// - Parameters:
    ///   - lengths: How long each is, at least 0.
    ///   - seed: Another seed gives other sequences.
    /// - Returns: A batch; nil if it would be too large.
    public func batch(lengths: [Int], seed: UInt64 = 1) -> SequenceBatch? {
        var rows = 0
        for length in lengths {
            let (sum, overflow) = rows.addingReportingOverflow(length)
            guard !overflow else { return nil }
            rows = sum
        }
        return self.rows(rows, seed: seed).flatMap { try? SequenceBatch(rows: $0, lengths: lengths) }
    }

    /// One sequence that begins as another and goes on differently.
    ///
    /// - Parameters:
    ///   - batch: Whose first sequence is taken.
    ///   - kept: How many positions stay as they are.
    ///   - seed: What the positions after them are made from.
    /// - Returns: A batch of one sequence, as long as the other.
    public func changing(_ batch: SequenceBatch, after kept: Int, seed: UInt64) -> SequenceBatch? {
        guard batch.count > 0 else { return nil }
        let first: SequenceBatch = batch.slice(0..<1)
        let length = first.rowCount
        guard (0...length).contains(kept), let tail = rows(length - kept, seed: seed),
            let head = try? SequenceBatch(rows: first.rows.slice(0..<kept), lengths: [kept]),
            let rest = try? SequenceBatch(rows: tail, lengths: [length - kept]),
            let joined = try? SequenceBatch.concatenating([head, rest])
        else { return nil }
        return try? SequenceBatch(rows: joined.rows, lengths: [length])
    }

    private func rows(_ count: Int, seed: UInt64) -> Tensor? {
        switch kind {
        case .features(_, let channels):
            guard let shape = try? Shape(checking: [count, channels]) else { return nil }
            return Tensor(of: Float.self, shape: shape) { elements in
                for index in elements.indices {
                    elements[index] = Float(Self.bits(seed, index) >> 40) * (4 / Float(1 << 24)) - 2
                }
            }
        case .tokens:
            guard let shape = try? Shape(checking: [count]) else { return nil }
            return Tensor(of: Int64.self, shape: shape) { elements in
                for index in elements.indices {
                    elements[index] = Int64(Self.bits(seed, index) % UInt64(tokenLimit))
                }
            }
        }
    }

    /// 64 bits without order (the finalizer of SplitMix64).
    private static func bits(_ seed: UInt64, _ index: Int) -> UInt64 {
        var z = (seed &* 0x1000003 &+ UInt64(truncatingIfNeeded: index) &+ 1) &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
