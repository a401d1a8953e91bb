import ONNXGraph

/// The nodes and values of a graph that some of its values depend on.
struct NeededNodes {
    /// For each node, whether it is needed.
    let nodes: [Bool]
    /// The names of all values that needed nodes read, and of the values asked for.
    let names: Set<String>

    /// Walks a graph backwards.
    ///
    /// - Parameters:
    ///   - graph: A graph with its nodes in topological order.
    ///   - outputs: The names of the values asked for.
    init(of graph: Graph, for outputs: [String]) {
        let source = graph.nodes
        var nodes = [Bool](repeating: false, count: source.count)
        var names = Set(outputs)
        for index in source.indices.reversed() where source[index].outputs.contains(where: names.contains) {
            nodes[index] = true
            Self.insertNames(read: source[index], into: &names, depth: 0)
        }
        self.nodes = nodes
        self.names = names
    }

    private static func insertNames(read node: Node, into names: inout Set<String>, depth: Int) {
        for name in node.inputs where !name.isEmpty { names.insert(name) }
        guard depth <= ModelLimits.deepestNesting else { return }
        for attribute in node.attributes {
            guard case .graph(let body) = attribute.value else { continue }
            for output in body.outputs { names.insert(output.name) }
            for inner in body.nodes { insertNames(read: inner, into: &names, depth: depth + 1) }
        }
    }
}
