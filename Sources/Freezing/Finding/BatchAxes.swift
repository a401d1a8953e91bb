import ONNXGraph
import TensorCore

/// Which axes a reduction takes together; the batch is axis 0, unless that is known to be something else.
enum BatchAxes {
    static func contains(_ node: Node, in scope: ValueScope) -> Bool {
        guard let axes = axes(of: node, in: scope) else { return false }
        if axes.isEmpty { return node.int("noop_with_empty_axes") != 1 }
        if axes == [0] { return node.inputs.first.map { !AxisOrigin.isOther(0, of: $0, in: scope) } ?? false }
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
        // What is no Int is no axis of any value either.
        return scope.constant(node.inputs[1])?.numbers?.map { Int(exactly: $0.rounded()) ?? .max }
    }
}

/// Tells where an axis of a value is known not to be the batch.
enum AxisOrigin {
    private static let batchSymbols: Set<String> = ["batch", "batch_size", "N", "n", "B", "b"]
    private static let longestWay = 12

    /// Whether an axis counts the steps of a loop, or belongs to an input that declares the batch on another axis.
    static func isOther(_ axis: Int, of value: String, in scope: ValueScope, depth: Int = 0) -> Bool {
        guard depth < longestWay, let home = scope.home(of: value), let level = home.current else {
            return false
        }
        guard let index = level.makers[value] else {
            let dimensions = level.declared[value]?.dimensions ?? []
            return dimensions.enumerated().contains { position, dimension in
                guard position != axis, case .symbol(let symbol) = dimension else { return false }
                return batchSymbols.contains(symbol)
            }
        }
        let node = level.nodes[index]
        guard let output = node.outputs.firstIndex(of: value) else { return false }
        if node.isLoop { return output >= max(0, node.inputs.count - 2) && axis == 0 }
        if node.isScan(opset: scope.opset) {
            let stream = output - (node.inputs.count - node.scanInputCount)
            guard stream >= 0 else { return false }
            let axes = node.ints("scan_output_axes") ?? []
            return (axes.indices.contains(stream) ? axes[stream] : 0) == axis
        }
        if node.operatorType == "Transpose", let order = node.ints("perm"), order.indices.contains(axis),
            let input = node.inputs.first
        {
            return isOther(order[axis], of: input, in: home, depth: depth + 1)
        }
        guard node.isElementwise else { return false }
        return node.inputs.contains { !$0.isEmpty && isOther(axis, of: $0, in: home, depth: depth + 1) }
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
