/// Where a node or a subgraph stands in a model: the nodes that lead to it, outermost first.
///
/// ```swift
/// let path = NodePath.root.appending(scan, at: 8).entering("body").appending(matmul, at: 2)
/// print(path)  // lstm_scan/body/matmul_1
/// ```
public struct NodePath: Hashable, Sendable {
    /// One node on the way, and the attribute whose subgraph the way goes on into.
    public struct Step: Hashable, Sendable {
        /// The node's name, or `Type#index` if it has none.
        public let label: String
        /// The node's index in its graph.
        public let index: Int
        /// The attribute that holds the subgraph, such as `body`; nil if the path ends at the node.
        public var body: String?
    }

    /// The nodes on the way, outermost first; empty for the model's own graph.
    public private(set) var steps: [Step]

    /// The path of the model's own graph.
    public static let root = NodePath(steps: [])

    /// The path of a node in the graph this path names.
    ///
    /// - Parameters:
    ///   - node: The node, for its label.
    ///   - index: Its index in ``Graph/nodes``.
    /// - Returns: The longer path.
    public func appending(_ node: Node, at index: Int) -> NodePath {
        let label = node.name.isEmpty ? "\(node.operatorType)#\(index)" : node.name
        return NodePath(steps: steps + [Step(label: label, index: index, body: nil)])
    }

    /// The path of a subgraph of the node this path names.
    ///
    /// - Parameter attribute: The name of the attribute that holds the subgraph.
    /// - Returns: The path of the subgraph; the root itself for the root.
    public func entering(_ attribute: String) -> NodePath {
        var path = self
        if !steps.isEmpty { path.steps[steps.count - 1].body = attribute }
        return path
    }

    /// The path of the graph that holds the node this path names.
    public var graph: NodePath { NodePath(steps: Array(steps.dropLast())) }

    /// The path of one of the nodes on the way.
    ///
    /// - Parameter step: The index of the node's step in ``steps``.
    /// - Returns: The path that ends at the node.
    public func prefix(throughNode step: Int) -> NodePath {
        var path = NodePath(steps: Array(steps.prefix(step + 1)))
        if !path.steps.isEmpty { path.steps[path.steps.count - 1].body = nil }
        return path
    }

    /// How many subgraphs the path enters; 0 in the model's own graph.
    public var depth: Int { steps.count { $0.body != nil } }
}

extension NodePath: CustomStringConvertible {
    /// The labels and attribute names with slashes between; `graph` for the model's own graph.
    public var description: String {
        guard !steps.isEmpty else { return "graph" }
        return steps.flatMap { step in step.body.map { [step.label, $0] } ?? [step.label] }
            .joined(separator: "/")
    }
}
