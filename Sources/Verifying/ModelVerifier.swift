public import Inference
public import TensorCore

/// Finds out by running a model whether its answers depend on the sequence alone, and where not.
///
/// The model as such is run dense, as any engine would: padded, with the mask or the lengths it asks for. Served ragged it
/// may be right even where that is not, as nothing is padded then.
///
/// ```swift
/// let report = try ModelVerifier(model).report()
/// if !report.isHeld() { print(report.checks) }
/// ```
public struct ModelVerifier {
    /// The largest relative difference that counts as rounding.
    public static let tolerance = 1e-5
    /// The lengths of the made-up sequences.
    public static let probeLengths = [1, 2, 3, 5, 8, 13, 17, 21, 34, 64, 65, 128, 257]
    /// How many sequences are compared at most.
    public static let sequenceLimit = 48

    let model: SequenceModel
    let trace: ValueTrace
    let probes: ProbeSequences
    let limit: LengthLimit?
    /// Sequences that the model takes.
    let sequences: [SequenceBatch]

    /// Prepares to verify a model.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - data: Sequences to compare; nil for made-up ones. Only the first ``sequenceLimit`` count.
    /// - Throws: Why the model cannot be planned.
    public init(_ model: SequenceModel, data: SequenceBatch? = nil) throws(PlanError) {
        self.model = model
        trace = try ValueTrace(model)
        let probes = ProbeSequences(signature: model.signature)
        self.probes = probes
        let limit = try LengthProbe(model).limit()
        self.limit = limit
        if let data {
            sequences = (0..<min(data.count, Self.sequenceLimit)).map { data.slice($0..<$0 + 1) }
        } else {
            let lengths = limit?.fixedLength.map { [Int](repeating: $0, count: 4) } ?? Self.probeLengths
            sequences = lengths.enumerated().filter { limit?.allows($0.element) ?? true }.compactMap {
                probes.batch(lengths: [$0.element], seed: UInt64($0.offset) + 11)
            }
        }
    }

    /// Makes all checks.
    ///
    /// - Returns: What was found.
    /// - Throws: Why the model cannot be planned.
    /// - Complexity: Some hundred runs of the model.
    public func report() throws(PlanError) -> VerificationReport {
        let lengths = LengthCheck(verifier: self).result()
        let inputs = InputCheck(verifier: self)
        let unused = inputs.unusedInputs()
        return VerificationReport(
            checks: [
                lengths.check, inputs.check(unused: unused),
                PaddingCheck(verifier: self).check(.padding),
                PaddingCheck(verifier: self).check(.paddingContent),
                CompanyCheck(verifier: self).check(), OrderCheck(verifier: self).check(),
                try RaggedCheck(verifier: self).check(),
            ],
            triedLengths: lengths.tried,
            failingLengths: lengths.failures,
            unusedInputs: unused
        )
    }
}

extension VerificationReport.Check {
    /// A check that failed, with what depends on what.
    init(_ kind: Kind, _ outcome: Outcome, _ found: Dependence, because words: String, comparisons: Int) {
        let place = found.path.map { ", from node \($0) (\(found.operatorType ?? "?")) on" } ?? ""
        let share =
            found.difference.isFinite
            ? "by up to \(Self.rounded(found.difference)) of its largest value" : "in shape"
        self.init(
            kind,
            outcome,
            "\(words)\(place): output \(found.output) differs \(share)",
            comparisons: comparisons
        )
        node = found.path.map { "\($0)" }
        operatorType = found.operatorType
        output = found.output
        largestDifference = found.difference
    }

    /// Three digits that count.
    static func rounded(_ value: Double) -> String {
        guard value.isFinite, value > 0 else { return "\(value)" }
        var scale = 1.0
        while value * scale < 100 && scale < 1e30 { scale *= 10 }
        return "\((value * scale).rounded() / scale)"
    }
}
