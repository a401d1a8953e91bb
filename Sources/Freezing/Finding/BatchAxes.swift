import ONNXGraph
import TensorCore

/// Which axes a reduction takes together; the batch is axis 0, unless that is known to be something else.
enum BatchAxes {
    static func contains(_ node: Node, in scope: ValueScope) -> Bool {
        guard let axes = axes(of: node, in: scope) else { return false }
        if axes.isEmpty { return node.int("noop_with_empty_axes") != 1 }
        if axes == [0] { return node.inputs.first.map { !LeadingAxis.isOther(of: $0, in: scope) } ?? false }
        if axes.contains(0) { return true }
        guard let lowest = axes.min(), lowest < 0, let input = node.inputs.first,
            let rank = Ranks.rank(of: input, in: scope)
        else { return false }
        return lowest == -rank
    }

    /// The axes; empty for all, nil if the graph computes them.
    private static func axes(of node: Node, in scope: ValueScope) -> [Int]? {
        if let axes = node.ints("axes") { return axes }
        guard node.inputs.count > 1, !node.inputs[1].isEmpty else { return [] }
        return scope.constant(node.inputs[1])?.numbers?.map { Int($0.rounded()) }
    }
}

/// Tells where the first axis of a value is known not to be the batch.
enum LeadingAxis {
    private static let batchSymbols: Set<String> = ["batch", "batch_size", "N", "n", "B", "b"]
    private static let longestWay = 12

    /// Whether the first axis counts the steps of a loop, or an input declares the batch on another axis.
    static func isOther(of value: String, in scope: ValueScope, depth: Int = 0) -> Bool {
        guard depth < longestWay, let home = scope.home(of: value), let level = home.current else {
            return false
        }
        guard let index = level.makers[value] else {
            guard let dimensions = level.declared[value]?.dimensions, dimensions.count > 1 else {
                return false
            }
            return dimensions.dropFirst().contains { dimension in
                if case .symbol(let symbol) = dimension { batchSymbols.contains(symbol) } else { false }
            }
        }
        let node = level.nodes[index]
        guard let output = node.outputs.firstIndex(of: value) else { return false }
        if node.isLoop { return output >= max(0, node.inputs.count - 2) }
        if node.isScan(opset: scope.opset) {
            let stream = output - (node.inputs.count - node.scanInputCount)
            guard stream >= 0 else { return false }
            let axes = node.ints("scan_output_axes") ?? []
            return axes.indices.contains(stream) ? axes[stream] == 0 : true
        }
        guard node.isElementwise else { return false }
        return node.inputs.contains { !$0.isEmpty && isOther(of: $0, in: home, depth: depth + 1) }
    }
}

extension Node {
    /// Whether the node's output has the axes of its largest input.
    fileprivate var isElementwise: Bool {
        domain.isEmpty
            && [
                "Add", "Sub", "Mul", "Div", "Pow", "Where", "Max", "Min", "Relu", "Tanh", "Sigmoid", "Erf",
                "Exp",
                "Log", "Sqrt", "Neg", "Abs", "Identity", "Cast", "Clip", "Gelu", "Softplus", "Dropout",
            ].contains(operatorType)
    }
}
