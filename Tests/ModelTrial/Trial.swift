public import Foundation
import Inference
public import ONNXGraph
import TensorCore

#if canImport(Glibc)
    import Glibc
#endif

/// A model that nobody vouches for: loaded, validated, planned and run on tiny inputs.
///
/// Typed errors are answers. A trap, a hang, memory over the limit, and a broken law are findings.
public struct Trial {
    /// Small, so that thousands of models a second are tried and none can be slow within its rights.
    public static let limits = ModelLimits(
        nestingDepth: 16,
        nodes: 200,
        tensorBytes: 1 << 15,
        loopTrips: 100,
        scanOutputBytes: 1 << 15
    )

    private let bytes: Data

    /// A trial of a file.
    ///
    /// - Parameter bytes: What the file holds.
    public init(_ bytes: Data) { self.bytes = bytes }

    /// Runs the model.
    ///
    /// - Throws: ``BrokenLaw``, the first of those that were tried.
    public func run() throws(BrokenLaw) {
        guard let model = try? Model(serialized: bytes, limits: Self.limits) else { return }
        guard (try? model.validate()) != nil else { return }
        try checkSaving(model)
        // The inputs depend on a field that nothing reads, so that mutations of a model keep them.
        var choices = Choices(seededBy: model.producerVersion.utf8)
        let inputs = TinyInputs.make(for: model, &choices)
        let rewritten = try outputs(of: model, inputs, rewriting: true)
        let plain = try outputs(of: model, inputs, rewriting: false)
        if let a = rewritten, let b = plain {
            try law(
                zip(a, b).allSatisfy { $0.shape == $1.shape && $0.elementType == $1.elementType },
                "rewriting"
            )
        }
        _ = ModelSummary(of: model, digest: "")
        try checkSequences(model, &choices)
    }

    private func checkSaving(_ model: Model) throws(BrokenLaw) {
        // Bytes, as a NaN equals nothing.
        guard let saved = try? model.serialized() else { return }
        try law((try? Model(serialized: saved, limits: Self.limits).serialized()) == saved, "saving")
    }

    /// The outputs of a run, which must be the same bits each time.
    private func outputs(of model: Model, _ inputs: [String: Tensor], rewriting: Bool) throws(BrokenLaw)
        -> [Tensor]?
    {
        guard let plan = try? ExecutionPlan(model, rewriting: rewriting) else { return nil }
        let given = inputs.filter { plan.inputNames.contains($0.key) }
        Self.fillFreshMemory(with: 0x5a)
        defer { Self.fillFreshMemory(with: 0) }
        guard let first = try? plan.run(given) else { return nil }
        Self.fillFreshMemory(with: 0xa5)
        let second = try? plan.run(given)
        try law(second.map { Self.same(first, $0) } ?? false, "repeating")
        return first
    }

    /// Lets memory that is asked for anew hold other bytes in one run than in another, so that reading before writing shows;
    /// only the C library of Linux can.
    private static func fillFreshMemory(with byte: Int32) {
        #if canImport(Glibc)
            // M_PERTURB of malloc.h, which Swift's module of the C library leaves out.
            typealias Option = @convention(c) (_ number: Int32, _ value: Int32) -> Int32
            guard let option = dlsym(nil, "mallopt") else { return }
            _ = unsafeBitCast(option, to: Option.self)(-6, byte)
        #endif
    }

    /// Sequences alone and side by side.
    private func checkSequences(_ model: Model, _ choices: inout Choices) throws(BrokenLaw) {
        guard let sequences = try? SequenceModel(model: model),
            let executor = try? sequences.executor(for: .outputs([]), batching: .ragged)
        else { return }
        var parts: [Tensor] = []
        for length in [1 + choices.below(4), 1 + choices.below(4)] {
            let (type, dimensions): (ElementType, [Int]) =
                switch sequences.signature.sequence.kind {
                case .tokens: (.int64, [length])
                case .features(_, let channels): (.float32, [length, channels])
                }
            guard let shape = try? Shape(checking: dimensions), shape.elementCount <= 4096,
                let rows = TinyInputs.tensor(type, shape, &choices)
            else { return }
            parts.append(rows)
        }
        func answers(_ parts: [Tensor]) -> [SequenceOutput]? {
            let batches = parts.compactMap { try? SequenceBatch(rows: $0, lengths: [$0.shape[0]]) }
            return (try? SequenceBatch.concatenating(batches)).flatMap { try? executor.run($0) }
        }
        Self.fillFreshMemory(with: 0x5a)
        defer { Self.fillFreshMemory(with: 0) }
        guard let together = answers(parts) else { return }
        Self.fillFreshMemory(with: 0xa5)
        guard let first = answers([parts[0]]) else { return }
        for (a, b) in zip(together, first) {
            let count = b.lengths.map { $0.reduce(0, +) } ?? 1
            try law(count <= a.rows.shape[0] && Self.same([a.rows.slice(0..<count)], [b.rows]), "company")
        }
    }

    private static func same(_ a: [Tensor], _ b: [Tensor]) -> Bool {
        a.count == b.count
            && zip(a, b).allSatisfy { a, b in
                a.shape == b.shape && a.elementType == b.elementType
                    && a.withBytes { x in b.withBytes { y in x.elementsEqual(y) } }
            }
    }

    private func law(_ holds: Bool, _ name: String) throws(BrokenLaw) {
        if !holds { throw BrokenLaw(name: name) }
    }
}

/// A law that every model must keep, and one did not: `saving`, `repeating`, `rewriting` or `company`.
public struct BrokenLaw: Error, Equatable {
    /// Which law.
    public let name: String
}
