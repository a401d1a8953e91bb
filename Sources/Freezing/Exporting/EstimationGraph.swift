import ONNXGraph

/// A training graph that puts out its batch statistics beside its own outputs.
struct EstimationGraph: Sendable {
    /// The graph; never written to a file.
    let model: Model
    /// The names that the statistics have in the model's own graph.
    let names: [Export: String]
    /// The input that takes the mask, float32 `[B, 1, L]`; nil if no statistic needs it.
    let maskInput: String?
    /// The input that takes the number of steps, int64 `[1]`, that loops in loops put out whatever they run; nil if they put
    /// out what they run.
    let stepsInput: String?

    /// The name of an export's value.
    func name(_ export: Export?) -> String? { export.flatMap { names[$0] } }
}
