import ONNXGraph

/// The dimensions of the constants that a node can see.
struct ConstantShapes {
    private var dimensions: [String: [Int]] = [:]
    private var lists: [String: [Int64]] = [:]

    /// Adds the initializers of a graph.
    mutating func add(_ initializers: [Initializer]) {
        for initializer in initializers { add(initializer, as: initializer.name) }
    }

    /// Adds the output of a node whose inputs are constants, for the few operators that exporters put there.
    mutating func add(outputOf node: Node) {
        guard let output = node.outputs.first else { return }
        switch node.operatorType {
        case "Constant":
            if case .tensor(let tensor)? = node.attribute("value") { add(tensor, as: output) }
            if case .ints(let values)? = node.attribute("value_ints") { lists[output] = values }
        case "Identity", "Cast", "CastLike":
            guard let input = node.inputs.first else { return }
            dimensions[output] = dimensions[input]
            lists[output] = lists[input]
        case "Transpose":
            guard let input = node.inputs.first, let lengths = dimensions[input] else { return }
            dimensions[output] = AxisMap.permutation(of: node, rank: lengths.count)?.map { lengths[$0] }
        default: break
        }
    }

    private mutating func add(_ initializer: Initializer, as name: String) {
        dimensions[name] = initializer.dimensions
        let isShortList = initializer.dimensions.count <= 1 && (initializer.dimensions.first ?? 1) <= 8
        guard isShortList, initializer.elementType == .int64, let tensor = try? initializer.tensor() else {
            return
        }
        lists[name] = tensor.array(of: Int64.self)
    }

    /// The dimensions of a constant; nil for what is none.
    subscript(name: String) -> [Int]? { dimensions[name] }

    /// A list of axes: an attribute in older opsets, a constant input in newer ones.
    func axes(of node: Node) -> [Int64]? {
        if case .ints(let axes)? = node.attribute("axes") { return axes }
        return node.inputs.count > 1 ? lists[node.inputs[1]] : nil
    }
}
