import ONNXGraph
import TensorCore

/// Finds out which lengths a model takes, by trying.
///
/// A model that was exported from a trace may hold the traced length: in the constant shape of a Reshape, in loops that
/// were unrolled. Its input still says that the time axis is dynamic. Such a model fails for all other lengths, or, if
/// nothing after the last unrolled step is read, answers longer ones as if they ended there.
///
/// ```swift
/// if let limit = try LengthProbe(model).limit() { print("warning: \(limit)") }
/// ```
public struct LengthProbe {
    /// The lengths that are tried at first; a model that takes all of them is not looked at further.
    public static let firstLengths = [1, 2, 17, 64]

    private let model: SequenceModel
    private let probes: ProbeSequences
    private let executor: any SequenceExecutor

    /// What became of one length.
    enum Trial {
        case answered([SequenceOutput])
        case failed(ExecutionError)

        var isAnswered: Bool { if case .answered = self { true } else { false } }
    }

    /// Prepares to try a model.
    ///
    /// - Parameter model: The model.
    /// - Throws: Why its predictions cannot be planned.
    public init(_ model: SequenceModel) throws(PlanError) {
        self.model = model
        probes = ProbeSequences(signature: model.signature)
        executor = try model.executor(for: .outputs(model.predictOutputs), batching: .ragged)
    }

    /// The lengths the model takes.
    ///
    /// - Parameter lengths: What to try at first, each at least 1; also tried is what is longer than a table of the
    ///   file, such as one of positions.
    /// - Returns: The limit; nil if the model takes all that were tried, or none that could be found.
    /// - Complexity: A run for each of `lengths` for a model that takes all; at most some 150 for another.
    public func limit(trying lengths: [Int] = firstLengths) -> LengthLimit? {
        if let (input, length) = declaredLength {
            return LengthLimit(lengths: .range(length...length), cause: .declared(input: input))
        }
        var search = LengthSearch { self.trial($0) }
        for length in (lengths + LengthCandidates.beyondTables(in: model.model)).sorted() {
            search.attempt(length)
        }
        if search.failures.isEmpty { return search.constantOutput.flatMap(fixed) }
        // One position is often answered by broadcasting, and is no length that the model is made for.
        if !search.answeredLengths.contains(where: { $0 > 2 }) { findCandidate(&search) }
        guard let anchor = search.answeredLengths.max() else { return nil }
        return range(around: anchor, &search)
    }

    /// What becomes of a made-up sequence.
    ///
    /// - Parameter length: At least 1.
    /// - Returns: Its answer, or the error; nil if it would be too large.
    func trial(_ length: Int) -> Trial? {
        guard let batch = probes.batch(lengths: [length]) else { return nil }
        do throws(ExecutionError) {
            return .answered(try executor.run(batch))
        } catch {
            return .failed(error)
        }
    }

    /// The lengths around one that is answered.
    private func range(around anchor: Int, _ search: inout LengthSearch) -> LengthLimit? {
        let upper = search.upperBound(from: anchor)
        let lower = search.lowerBound(from: anchor)
        guard let failure = search.firstFailure(below: lower, above: upper) else { return nil }
        let inside = (1...3).map { lower + $0 }.filter { $0 < upper }
        if let hole = inside.first(where: { !search.attempt($0) }) {
            return LengthLimit(lengths: .irregular(failing: hole), cause: failure)
        }
        if upper == .max, lower > 1, ignoresTail(from: lower) {
            return LengthLimit(lengths: .range(lower...lower), cause: failure)
        }
        guard lower > 1 || upper < .max else { return nil }
        return LengthLimit(lengths: .range(lower...max(lower, upper)), cause: failure)
    }

    /// Whether positions from one on do not change any answer, of sequences somewhat or much longer.
    func ignoresTail(from kept: Int) -> Bool {
        for length in [kept + 3, kept + 31] {
            guard let batch = probes.batch(lengths: [length]),
                let other = probes.changing(batch, after: kept, seed: 7),
                let a = try? executor.run(batch), let b = try? executor.run(other)
            else { return false }
            guard zip(a, b).allSatisfy({ $0.rows == $1.rows }) else { return false }
        }
        return true
    }

    /// Tries the sizes that stand in the file, until one longer than 2 is answered.
    private func findCandidate(_ search: inout LengthSearch) {
        for length in LengthCandidates.lengths(in: model.model) where length > 2 && search.attempt(length) {
            return
        }
    }

    private func fixed(_ output: (name: String, rows: Int)) -> LengthLimit? {
        guard ignoresTail(from: output.rows) else { return nil }
        return LengthLimit(lengths: .range(output.rows...output.rows), cause: .output(output.name))
    }

    /// The input whose time axis is not dynamic.
    private var declaredLength: (input: String, length: Int)? {
        let signature = model.signature
        let input = model.model.graph.inputs.first { $0.name == signature.sequence.name }
        let axis =
            switch signature.sequence.kind {
            case .features(.channelsFirst, _): 2
            default: 1
            }
        guard let dimensions = input?.dimensions, axis < dimensions.count,
            case .fixed(let length) = dimensions[axis], length > 0
        else { return nil }
        return (signature.sequence.name, length)
    }
}
