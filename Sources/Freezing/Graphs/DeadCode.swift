import ONNXGraph

/// Removes what a rewrite has made dead, at every depth; what was dead before stays.
enum DeadCode {
    /// A graph without the nodes and constants that only the original needed.
    ///
    /// - Parameters:
    ///   - graph: The rewritten graph.
    ///   - original: The graph before; nodes are the same if their first outputs are.
    /// - Returns: The graph, smaller or the same.
    /// - Complexity: O(nodes * depth).
    static func removed(from graph: Graph, original: Graph) -> Graph {
        let before = Set(deadNodes(of: original).map(\.key))
        var changed = graph
        let nodes = graph.nodes
        var needed = Set(graph.outputs.map(\.name))
        for node in nodes where before.contains(node.key) { needed.formUnion(GraphReads.names(readBy: node)) }
        var kept: [Node] = []
        let originals = Dictionary(original.nodes.map { ($0.key, $0) }) { first, _ in first }
        for node in nodes.reversed() {
            let isNeeded = node.outputs.contains { !$0.isEmpty && needed.contains($0) }
            guard isNeeded || before.contains(node.key) else { continue }
            let clean = cleaned(node, original: originals[node.key])
            needed.formUnion(GraphReads.names(readBy: clean))
            kept.append(clean)
        }
        guard kept.count != nodes.count || kept.reversed() != nodes else {
            return withoutUnread(changed, original: original)
        }
        changed.nodes = kept.reversed()
        return withoutUnread(changed, original: original)
    }

    /// The same node with what is dead in its subgraphs removed.
    private static func cleaned(_ node: Node, original: Node?) -> Node {
        guard let original else { return node }
        var node = node
        for (attribute, graph) in node.subgraphs {
            guard let former = original.subgraphs.first(where: { $0.attribute == attribute })?.graph,
                former != graph
            else { continue }
            node.replaceSubgraph(attribute, by: removed(from: graph, original: former))
        }
        return node
    }

    /// The nodes that no output of a graph needs.
    private static func deadNodes(of graph: Graph) -> [Node] {
        var needed = Set(graph.outputs.map(\.name))
        var dead: [Node] = []
        for node in graph.nodes.reversed() {
            if node.outputs.contains(where: { !$0.isEmpty && needed.contains($0) }) {
                needed.formUnion(GraphReads.names(readBy: node))
            } else {
                dead.append(node)
            }
        }
        return dead
    }

    /// Constants and declarations of values go with the last node that reads or makes them.
    private static func withoutUnread(_ graph: Graph, original: Graph) -> Graph {
        var graph = graph
        let read = reads(of: graph)
        let readBefore = reads(of: original)
        let inputs = Set(graph.inputs.map(\.name))
        graph.initializers = graph.initializers.filter {
            read.contains($0.name) || inputs.contains($0.name) || !readBefore.contains($0.name)
        }
        let made = GraphReads.definitions(of: graph, nodes: graph.nodes)
        let madeBefore = GraphReads.definitions(of: original, nodes: original.nodes)
        let infos = graph.valueInfos
        let left = infos.filter { made.contains($0.name) || !madeBefore.contains($0.name) }
        if left.count != infos.count { graph.valueInfos = left }
        return graph
    }

    private static func reads(of graph: Graph) -> Set<String> {
        var names = Set(graph.outputs.map(\.name))
        for node in graph.nodes { names.formUnion(GraphReads.names(readBy: node)) }
        return names
    }
}

extension Node {
    /// What makes a node the same before and after a rewrite: the first value it makes.
    fileprivate var key: String { outputs.first { !$0.isEmpty } ?? "\(operatorType) \(name)" }
}
