import TensorCore

/// Gathers what one output is for one sequence after the other.
struct OutputCollector {
    private let rule: OutputRule
    private var parts: [Tensor] = []
    private var lengths: [Int]?

    init(_ rule: OutputRule) { self.rule = rule }

    /// Adds the value of the next sequence, run alone.
    ///
    /// - Parameters:
    ///   - value: The output's value.
    ///   - length: How long the sequence is.
    /// - Throws: ``ExecutionError/outputShape(name:actual:)``.
    mutating func append(_ value: Tensor, length: Int) throws(ExecutionError) {
        let axes = try rule.axes(value.shape, count: 1, length: length)
        guard let timeAxis = axes.time else {
            parts.append(value)
            return
        }
        let rows = try rule.sequencesFirst(value, batchAxis: axes.batch, timeAxis: timeAxis).element(at: 0)
        parts.append(rows)
        lengths = (lengths ?? []) + [rows.shape[0]]
    }

    /// The output of all sequences; at least one.
    func output() throws(ExecutionError) -> SequenceOutput {
        SequenceOutput(name: rule.name, rows: try rule.pack(parts), lengths: lengths)
    }
}
