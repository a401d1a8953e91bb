import ONNXGraph

/// A mean over the batch, written as ReduceMean or as ReduceSum divided by a number of positions.
struct BatchReduction {
    /// The value that the division or ReduceMean makes, in its own graph.
    let value: String
    /// What is summed up.
    let input: String
    /// The graph that makes the value, with those around it.
    let scope: ValueScope
    let count: PositionSource
    let total: PositionSource

    /// The mean over the batch that a value is, through changes of its shape; nil if it is anything else.
    ///
    /// - Parameters:
    ///   - value: A value.
    ///   - scope: A graph that can see it.
    init?(_ value: String, in scope: ValueScope) {
        guard let (node, scope) = Self.source(of: value, in: scope), node.domain.isEmpty,
            let output = node.outputs.first, let level = scope.current
        else { return nil }
        switch node.operatorType {
        case "ReduceMean":
            guard BatchAxes.contains(node, in: scope), let input = node.inputs.first else { return nil }
            self.input = input
            count = .ratio(of: input, to: output, graph: level.path)
            total = count
        case "Div":
            guard node.inputs.count == 2, let (sum, home) = Self.source(of: node.inputs[0], in: scope),
                sum.operatorType == "ReduceSum", BatchAxes.contains(sum, in: home),
                let input = sum.inputs.first, let result = sum.outputs.first,
                let place = home.current, place.path == level.path
            else { return nil }
            self.input = input
            count = Self.positions(node.inputs[1], in: scope)
            total = .ratio(of: input, to: result, graph: level.path)
        default: return nil
        }
        self.value = output
        self.scope = scope
    }

    /// The node that makes the elements of a value, whatever its shape was made to be since.
    static func source(of value: String, in scope: ValueScope) -> (node: Node, scope: ValueScope)? {
        var name = value
        var current = scope
        let longestWay = 16
        for _ in 0..<longestWay {
            guard let (node, _, home) = current.maker(of: name) else { return nil }
            guard node.keepsElements, let input = node.inputs.first else { return (node, home) }
            name = input
            current = home
        }
        return nil
    }

    /// The number of positions behind a divisor: what `max(n, 1)` or a Clip protects from being zero is n.
    static func positions(_ divisor: String, in scope: ValueScope) -> PositionSource {
        var name = divisor
        var current = scope
        let longestWay = 16
        for _ in 0..<longestWay {
            guard let (node, _, home) = current.maker(of: name), node.domain.isEmpty else { break }
            current = home
            if node.keepsElements || node.operatorType == "Cast" || node.operatorType == "Clip" {
                guard let input = node.inputs.first else { break }
                name = input
            } else if node.operatorType == "Max", node.inputs.count == 2,
                let other = node.inputs.first(where: { home.number($0) == nil }),
                node.inputs.contains(where: { home.number($0).map { $0 <= 1 } ?? false })
            {
                name = other
            } else if node.operatorType == "Add", node.inputs.count == 2,
                let other = node.inputs.first(where: { home.number($0) == nil }),
                node.inputs.contains(where: { home.number($0).map { $0 > 0 && $0 <= 1e-3 } ?? false })
            {
                name = other
            } else {
                break
            }
        }
        let home = current.home(of: name)?.current?.path ?? .root
        return .value(name, graph: home)
    }
}

/// Which axes a reduction takes together; the batch is axis 0.
enum BatchAxes {
    static func contains(_ node: Node, in scope: ValueScope) -> Bool {
        guard let axes = axes(of: node, in: scope) else { return false }
        if axes.isEmpty { return node.int("noop_with_empty_axes") != 1 }
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

/// The number of axes of a value, as far as declarations and operators tell.
enum Ranks {
    private static let longestWay = 24

    static func rank(of value: String, in scope: ValueScope, depth: Int = 0) -> Int? {
        guard depth < longestWay, let home = scope.home(of: value), let level = home.current else {
            return nil
        }
        if let declared = level.declared[value]?.dimensions { return declared.count }
        if let constant = level.constants[value] { return constant.dimensions.count }
        guard let index = level.makers[value] else { return nil }
        let node = level.nodes[index]
        let inputs = node.inputs.filter { !$0.isEmpty }
        guard let first = inputs.first else { return nil }
        switch node.operatorType {
        case "Gemm": return 2
        case "Conv", "ConvTranspose":
            return inputs.count > 1 ? rank(of: inputs[1], in: home, depth: depth + 1) : nil
        case "Add", "Sub", "Mul", "Div", "Pow", "Where", "Max", "Min", "MatMul":
            let ranks = inputs.map { rank(of: $0, in: home, depth: depth + 1) }
            return ranks.contains(nil) ? nil : ranks.compactMap(\.self).max()
        case "Relu", "Tanh", "Sigmoid", "Erf", "Exp", "Log", "Sqrt", "Neg", "Abs", "Identity", "Cast",
            "BatchNormalization", "Softmax", "Gelu", "Clip", "Dropout", "Transpose", "LayerNormalization",
            "LeakyRelu", "Elu", "Softplus", "CumSum", "Slice", "Concat":
            return rank(of: first, in: home, depth: depth + 1)
        default: return nil
        }
    }
}
