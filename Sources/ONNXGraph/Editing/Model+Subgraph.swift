extension Model {
    /// The graph at a path: the model's own for ``NodePath/root``, else the subgraph the path's last step enters.
    ///
    /// - Parameter path: A path that ends in a subgraph.
    /// - Returns: The graph.
    /// - Throws: ``ModelError/unknownPath(_:)``.
    public func graph(at path: NodePath) throws(ModelError) -> Graph {
        var current = graph
        for step in path.steps {
            guard let body = step.body, let node = current.node(at: step),
                let subgraph = node.subgraphs.first(where: { $0.attribute == body })
            else { throw .unknownPath(path) }
            current = subgraph.graph
        }
        return current
    }

    /// The node at a path.
    ///
    /// - Parameter path: A path that ends at a node.
    /// - Returns: The node.
    /// - Throws: ``ModelError/unknownPath(_:)``.
    public func node(at path: NodePath) throws(ModelError) -> Node {
        guard let last = path.steps.last, let node = try graph(at: path.graph).node(at: last) else {
            throw .unknownPath(path)
        }
        return node
    }
}

extension Graph {
    /// The node that a step of a path names.
    func node(at step: NodePath.Step) -> Node? {
        guard proto.node.indices.contains(step.index) else { return nil }
        return Node(proto: proto.node[step.index], folder: folder)
    }
}
