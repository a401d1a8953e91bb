import ONNXGraph

/// Finds means and variances over the batch that are written with plain operators.
///
/// ```
/// mean     = ReduceSum(x * mask) / n            or ReduceMean(x)
/// variance = ReduceSum(((x - mean) * mask)^2) / n   or ReduceMean((x - mean)^2)
/// y        = (x - mean) / Sqrt(variance + epsilon)
/// ```
/// A mask may be missing, the square be Mul or Pow, the reduction any that takes the batch axis together.
struct PatternFinder {
    /// A mean and a variance that belong together.
    struct Match {
        let mean: BatchReduction
        let variance: BatchReduction
    }

    private var matches: [Match] = []
    private var variances: Set<String> = []

    /// All patterns, in the order their square roots run.
    static func matches(in model: Model) -> [Match] {
        var finder = PatternFinder()
        finder.visit(
            model.graph,
            ValueScope(opset: model.opsetImports[""] ?? 0).entering(model.graph, at: .root, owner: nil)
        )
        return finder.matches
    }

    private mutating func visit(_ graph: Graph, _ scope: ValueScope) {
        guard let level = scope.current else { return }
        for (index, node) in level.nodes.enumerated() {
            if let radicand = Self.radicand(node, in: scope), let match = Self.match(radicand, in: scope),
                variances.insert("\(match.variance.scope.current?.path ?? .root)/\(match.variance.value)")
                    .inserted
            {
                matches.append(match)
            }
            for subgraph in node.subgraphs {
                let path = level.path.appending(node, at: index).entering(subgraph.attribute)
                visit(subgraph.graph, scope.entering(subgraph.graph, at: path, owner: node))
            }
        }
    }

    /// What a node takes the square root of.
    private static func radicand(_ node: Node, in scope: ValueScope) -> String? {
        guard node.domain.isEmpty, let input = node.inputs.first else { return nil }
        switch node.operatorType {
        case "Sqrt": return input
        case "Pow":
            guard node.inputs.count == 2, let exponent = scope.number(node.inputs[1]) else { return nil }
            return exponent.magnitude == 0.5 ? input : nil
        default: return nil
        }
    }

    private static func match(_ radicand: String, in scope: ValueScope) -> Match? {
        guard let variance = varianceReduction(radicand, in: scope),
            let difference = difference(squaredIn: variance.input, in: variance.scope),
            let inner = BatchReduction(difference.inputs[1], in: variance.scope)
        else { return nil }
        return Match(mean: outerMean(of: difference, inner: inner, in: variance.scope), variance: variance)
    }

    private static func varianceReduction(_ radicand: String, in scope: ValueScope) -> BatchReduction? {
        if let variance = BatchReduction(radicand, in: scope) { return variance }
        guard let (sum, home) = BatchReduction.source(of: radicand, in: scope), sum.operatorType == "Add",
            sum.inputs.count == 2,
            let value = sum.inputs.first(where: { home.number($0) == nil }),
            sum.inputs.contains(where: { home.number($0) != nil })
        else { return nil }
        return BatchReduction(value, in: home)
    }

    /// The node `x - mean` whose square, masked or not, a value is.
    private static func difference(squaredIn value: String, in scope: ValueScope) -> Node? {
        guard let (node, _, home) = scope.maker(of: value), node.domain.isEmpty, node.inputs.count == 2 else {
            return nil
        }
        if node.operatorType == "Pow", home.number(node.inputs[1]) == 2 {
            return difference(behind: node.inputs[0], in: home)
        }
        guard node.operatorType == "Mul" else { return nil }
        if node.inputs[0] == node.inputs[1] { return difference(behind: node.inputs[0], in: home) }
        for input in node.inputs {
            if let difference = difference(squaredIn: input, in: home) { return difference }
        }
        return nil
    }

    /// The subtraction that a value is, or that it is after a mask.
    private static func difference(behind value: String, in scope: ValueScope) -> Node? {
        guard let (node, _, home) = scope.maker(of: value), node.domain.isEmpty, node.inputs.count == 2 else {
            return nil
        }
        if node.operatorType == "Sub" { return node }
        guard node.operatorType == "Mul" else { return nil }
        for input in node.inputs {
            if let (inner, _, _) = home.maker(of: input), inner.operatorType == "Sub", inner.inputs.count == 2
            {
                return inner
            }
        }
        return nil
    }

    /// The mean that is subtracted where the values are normalized: the variance may have one of its own.
    private static func outerMean(
        of difference: Node,
        inner: BatchReduction,
        in scope: ValueScope
    ) -> BatchReduction {
        guard let level = scope.current else { return inner }
        for node in level.nodes where node.operatorType == "Sub" && node.inputs.count == 2 {
            guard node.inputs[0] == difference.inputs[0], node.inputs[1] != difference.inputs[1],
                let mean = BatchReduction(node.inputs[1], in: scope), mean.value != inner.value
            else { continue }
            return mean
        }
        return inner
    }
}
