internal import FoundationEssentials
public import ONNXGraph

/// The labels that a training graph gives its batch statistics.
///
/// A label is `bn_statistic` in the metadata of the node that makes the value first, or an entry of the model's
/// `bn_statistics`, a JSON list of `{"tensor": ..., "label": ..., "graph": [...]}` where `graph` names the enclosing
/// Scan and Loop nodes, outermost first. Branches of If may be named there or left out.
public struct BatchStatisticLabels: Sendable {
    /// The key of the list in a model's metadata.
    public static let modelKey = "bn_statistics"
    /// The key of a label in a node's metadata.
    public static let nodeKey = "bn_statistic"

    /// One label of the list.
    public struct Entry: Sendable, Hashable, Decodable {
        /// The name of the value.
        public let tensor: String
        /// What the statistic is called.
        public let label: String
        /// The enclosing nodes, outermost first.
        public let graph: [String]
    }

    /// The labels of the list, in its order.
    public let entries: [Entry]
    /// Whether there is a list that cannot be read.
    public let isMalformed: Bool

    /// Reads the list in a model's metadata.
    ///
    /// - Parameter metadata: The model's metadata.
    public init(metadata: [String: String]) {
        guard let text = metadata[Self.modelKey] else {
            entries = []
            isMalformed = false
            return
        }
        let list = try? JSONDecoder().decode([Entry].self, from: Data(text.utf8))
        entries = list ?? []
        isMalformed = list == nil
    }

    /// Whether a list names a graph by the nodes that lead to it.
    ///
    /// - Parameters:
    ///   - names: The enclosing nodes that a label gives.
    ///   - path: The graph.
    /// - Returns: Whether they are those of the path, all of them or only the loops.
    public static func names(_ names: [String], _ path: NodePath) -> Bool {
        names == path.loops || names == path.steps.map(\.label)
    }

    /// The label of one of a node's outputs, and that output.
    func label(of node: Node, in graph: NodePath) -> (value: String, label: String)? {
        if let label = node.metadata[Self.nodeKey], let output = node.outputs.first { return (output, label) }
        guard !entries.isEmpty else { return nil }
        let found = entries.first { node.outputs.contains($0.tensor) && Self.names($0.graph, graph) }
        return found.map { ($0.tensor, $0.label) }
    }
}

extension NodePath {
    /// The labels of the Scan and Loop nodes on the way, outermost first.
    public var loops: [String] {
        steps.filter { $0.body != nil && $0.body != "then_branch" && $0.body != "else_branch" }.map(\.label)
    }
}
