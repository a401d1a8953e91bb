import ONNXGraph

/// Which values graphs read, make, and take from the graphs around them.
enum GraphReads {
    /// The names that a graph makes itself: inputs, initializers, outputs of nodes.
    static func definitions(of graph: Graph, nodes: [Node]) -> Set<String> {
        var names = Set(graph.inputs.map(\.name))
        names.formUnion(graph.initializers.map(\.name))
        for node in nodes { names.formUnion(node.outputs) }
        return names
    }

    /// The names that a node reads, those its subgraphs take from around them included.
    static func names(readBy node: Node) -> Set<String> {
        var names = Set(node.inputs)
        for subgraph in node.subgraphs { names.formUnion(captures(of: subgraph.graph)) }
        names.remove("")
        return names
    }

    /// The names that a graph takes from the graphs around it.
    static func captures(of graph: Graph) -> Set<String> {
        let nodes = graph.nodes
        var names = Set(graph.outputs.map(\.name))
        for node in nodes { names.formUnion(Self.names(readBy: node)) }
        return names.subtracting(definitions(of: graph, nodes: nodes))
    }

    /// A node that reads other values in the place of some, in its subgraphs as well.
    static func renaming(_ names: [String: String], in node: Node) -> Node {
        guard !names.isEmpty else { return node }
        var node = node
        if node.inputs.contains(where: { names[$0] != nil }) {
            node.inputs = node.inputs.map { names[$0] ?? $0 }
        }
        for (attribute, graph) in node.subgraphs {
            let inner = names.filter { captures(of: graph).contains($0.key) }
            guard !inner.isEmpty else { continue }
            var graph = graph
            graph.nodes = graph.nodes.map { renaming(inner, in: $0) }
            node.replaceSubgraph(attribute, by: graph)
        }
        return node
    }
}

extension Node {
    /// Puts another graph in the place of one of the node's subgraphs.
    mutating func replaceSubgraph(_ attribute: String, by graph: Graph) {
        var list = attributes
        guard let index = list.firstIndex(where: { $0.name == attribute }) else { return }
        list[index].value = .graph(graph)
        attributes = list
    }

    /// Appends to a list of one number for each of `count` things; an absent list means zeros.
    mutating func append(_ element: Int64, toList name: String, ofCount count: Int) {
        var list = attributes
        if let index = list.firstIndex(where: { $0.name == name }), case .ints(let old) = list[index].value {
            list[index].value = .ints(old + [element])
        } else if element != 0 {
            list.append(Attribute(name, .ints([Int64](repeating: 0, count: max(0, count - 1)) + [element])))
        } else {
            return
        }
        attributes = list
    }

    /// Whether the node is a Scan as it is since opset 9.
    func isScan(opset: Int) -> Bool { operatorType == "Scan" && domain.isEmpty && opset >= 9 }

    /// Whether the node is a Loop.
    var isLoop: Bool { operatorType == "Loop" && domain.isEmpty }

    /// Whether the node is an If.
    var isConditional: Bool { operatorType == "If" && domain.isEmpty }

    /// The number of scan inputs of a Scan.
    var scanInputCount: Int { max(0, min(inputs.count, int("num_scan_inputs") ?? 0)) }

    /// Whether every input of a Scan is scanned from its end.
    var scansBackward: Bool {
        guard let directions = ints("scan_input_directions"), !directions.isEmpty else { return false }
        return directions.allSatisfy { $0 == 1 }
    }
}
