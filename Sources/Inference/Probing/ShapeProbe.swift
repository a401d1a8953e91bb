public import ONNXGraph
import TensorCore

/// Finds the shapes of a model's values, with B for the sequences of a batch and L for their positions, by running it.
public enum ShapeProbe {
    /// The shapes of what the nodes of a model's own graph give.
    ///
    /// - Parameter model: A validated model.
    /// - Returns: For each value its axes, such as `["B", "64", "L"]`; empty if the model cannot be run.
    /// - Complexity: Three runs with short sequences.
    public static func shapes(of model: Model) -> [String: [String]] {
        guard let signature = try? Signature(inferring: model, document: nil) else { return [:] }
        let graph = model.graph
        var names = Set(graph.nodes.flatMap(\.outputs).filter { !$0.isEmpty })
        names.formUnion(graph.outputs.map(\.name))
        guard let plan = try? ExecutionPlan(model, outputs: names.sorted(), rewriting: false) else {
            return [:]
        }
        let layout = InputLayout(signature, plan: plan)
        func run(_ count: Int, _ length: Int) -> [[Int]]? {
            let lengths = [Int](repeating: length, count: count)
            guard let batch = ProbeSequences(signature: signature).batch(lengths: lengths),
                let inputs = try? layout.inputs(batch), let values = try? plan.run(inputs)
            else { return nil }
            return values.map { $0.shape.dimensions }
        }
        for length in LengthProbe.firstLengths.reversed() {
            guard let first = run(2, length) else { continue }
            let longer = run(2, length + 6)
            let larger = run(3, length)
            var shapes: [String: [String]] = [:]
            for (index, name) in plan.outputNames.enumerated() {
                shapes[name] = first[index].indices.map { axis in
                    axisName(
                        first[index][axis],
                        longer: longer.flatMap { $0[index].count > axis ? $0[index][axis] : nil },
                        larger: larger.flatMap { $0[index].count > axis ? $0[index][axis] : nil },
                        length: length
                    )
                }
            }
            return shapes
        }
        return [:]
    }

    /// The name of an axis of 2 sequences with `length` positions, by its sizes with 6 more and with a third sequence.
    private static func axisName(_ size: Int, longer: Int?, larger: Int?, length: Int) -> String {
        let growsWithLength = (longer ?? size) - size
        let growsWithCount = (larger ?? size) - size
        switch (growsWithLength, growsWithCount) {
        case (0, 0): return "\(size)"
        case (0, let step):
            guard size == 2 * step else { return "?" }
            return step == 1 ? "B" : "\(step)B"
        case (let step, 0):
            guard step > 0, step % 6 == 0 else { return "~L" }
            let offset = size - step / 6 * length
            let factor = step == 6 ? "L" : "\(step / 6)L"
            return offset == 0 ? factor : offset < 0 ? "\(factor)-\(-offset)" : "\(factor)+\(offset)"
        default: return size == 2 * length ? "BL" : "?"
        }
    }
}
