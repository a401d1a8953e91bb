import ONNXGraph

/// A graph and the graphs around it, ready to ask who makes and who reads a value.
struct SiteScope {
    /// One graph on the way from the model's own graph inward.
    struct Level {
        let path: NodePath
        let nodes: [Node]
        let makers: [String: Int]
        let readers: [String: [Int]]
        let constants: [String: Initializer]
        let inputs: Set<String>
    }

    private(set) var levels: [Level] = []

    /// The same scope with a graph further inward.
    func entering(_ graph: Graph, at path: NodePath) -> SiteScope {
        var makers: [String: Int] = [:]
        var readers: [String: [Int]] = [:]
        var constants: [String: Initializer] = [:]
        for initializer in graph.initializers { constants[initializer.name] = initializer }
        let nodes = graph.nodes
        for (index, node) in nodes.enumerated() {
            for output in node.outputs where !output.isEmpty { makers[output] = index }
            for input in node.inputs where !input.isEmpty { readers[input, default: []].append(index) }
            if node.operatorType == "Constant", let output = node.outputs.first,
                case .tensor(var tensor)? = node.attribute("value")
            {
                tensor.name = output
                constants[output] = tensor
            }
        }
        var scope = self
        scope.levels.append(
            Level(
                path: path,
                nodes: nodes,
                makers: makers,
                readers: readers,
                constants: constants,
                inputs: Set(graph.inputs.map(\.name))
            )
        )
        return scope
    }

    /// The innermost graph.
    var current: Level? { levels.last }

    /// The node of the innermost graph that makes a value.
    func maker(of value: String) -> Node? {
        guard let level = current, let index = level.makers[value] else { return nil }
        return level.nodes[index]
    }

    /// The only node of the innermost graph that reads a value.
    func onlyReader(of value: String) -> (index: Int, node: Node)? {
        guard let level = current, let indices = level.readers[value], indices.count == 1 else { return nil }
        return (indices[0], level.nodes[indices[0]])
    }

    /// A constant that a value is made of, through Identity, Unsqueeze, and Gather at a step.
    ///
    /// - Parameter value: A value that the innermost graph can see.
    /// - Returns: The constant; nil if the value is made of anything else.
    func constant(_ value: String) -> SiteConstant? {
        var name = value
        var changes: [SiteConstant.Change] = []
        var remaining = levels[...]
        let longestWay = 16
        while let level = remaining.last, changes.count < longestWay {
            if let initializer = level.constants[name] {
                return SiteConstant(initializer, changes: changes.reversed())
            }
            guard !level.inputs.contains(name) else { return nil }
            guard let index = level.makers[name] else {
                remaining = remaining.dropLast()
                continue
            }
            let node = level.nodes[index]
            guard let input = node.inputs.first, let change = change(by: node) else { return nil }
            changes.append(change)
            name = input
        }
        return nil
    }

    private func change(by node: Node) -> SiteConstant.Change? {
        switch node.operatorType {
        case "Identity": return .unchanged
        case "Gather":
            let axis = node.attribute("axis") ?? .int(0)
            return axis == .int(0) ? .step : nil
        case "Unsqueeze":
            if case .ints(let axes)? = node.attribute("axes") { return .unsqueeze(axes) }
            guard node.inputs.count > 1,
                let list = levels.lazy.compactMap({ $0.constants[node.inputs[1]] }).first,
                list.elementType == .int64, let axes = try? list.tensor(), axes.count <= 8
            else { return nil }
            return .unsqueeze(axes.array(of: Int64.self))
        default: return nil
        }
    }
}

/// A constant as a node sees it: what was picked of it, and the shape that is left.
struct SiteConstant {
    enum Change {
        case unchanged
        case step
        case unsqueeze([Int64])
    }

    let initializer: Initializer
    /// The dimensions that are left.
    let dimensions: [Int]
    /// The lengths of the axes that steps were picked from.
    let stepCounts: [Int]

    init?(_ initializer: Initializer, changes: [Change]) {
        guard initializer.dimensions.count <= 8, initializer.dimensions.allSatisfy({ $0 >= 0 }) else {
            return nil
        }
        var lengths: [Int?] = initializer.dimensions
        var steps: [Int] = []
        for change in changes {
            switch change {
            case .unchanged: break
            case .step:
                guard let length = lengths.first ?? nil else { return nil }
                steps.append(length)
                lengths.removeFirst()
            case .unsqueeze(let axes):
                guard let longer = lengths.unsqueezed(axes) else { return nil }
                lengths = longer
            }
        }
        self.initializer = initializer
        dimensions = lengths.map { $0 ?? 1 }
        stepCounts = steps
    }

    /// The number of elements that are left; nil if it is out of range.
    var count: Int? {
        var count = 1
        for length in dimensions {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            guard !overflow else { return nil }
            count = product
        }
        return count
    }

    /// The only axis longer than 1, counted from the end; for a single channel, the place it has by custom.
    var channelAxis: Int? {
        let long = dimensions.indices.filter { dimensions[$0] != 1 }
        guard long.count <= 1 else { return nil }
        if let axis = long.first { return axis - dimensions.count }
        return dimensions.count == 3 && dimensions[1] == 1 ? -2 : -1
    }
}
