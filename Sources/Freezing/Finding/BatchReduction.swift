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
