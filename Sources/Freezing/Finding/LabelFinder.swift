import Inference
import ONNXGraph

/// Finds the values that a user has labelled: on nodes, in the model's metadata, or by name.
struct LabelFinder {
    private let labels: BatchStatisticLabels
    private let selectors: [StatisticSelector]
    private var matched: Set<String> = []
    private var seen: Set<BatchStatisticLabels.Entry> = []
    private var graphs: [NodePath] = [.root]
    private var found: [FoundValue] = []

    /// All labelled values, in the order their nodes run.
    static func values(in model: Model, selecting texts: [String]) throws(FreezeError) -> [FoundValue] {
        var finder = try LabelFinder(model, texts)
        try finder.visit(model.graph, at: .root)
        try finder.checkAllMatched()
        return finder.found
    }

    private init(_ model: Model, _ texts: [String]) throws(FreezeError) {
        labels = BatchStatisticLabels(metadata: model.metadata)
        guard !labels.isMalformed else { throw .malformedLabels }
        var selectors: [StatisticSelector] = []
        for text in texts { selectors.append(try StatisticSelector(text)) }
        self.selectors = selectors
    }

    private mutating func visit(_ graph: Graph, at path: NodePath) throws(FreezeError) {
        for (index, node) in graph.nodes.enumerated() {
            let nodePath = path.appending(node, at: index)
            try add(node, at: nodePath)
            for subgraph in node.subgraphs {
                let inner = nodePath.entering(subgraph.attribute)
                graphs.append(inner)
                try visit(subgraph.graph, at: inner)
            }
        }
    }

    private mutating func add(_ node: Node, at path: NodePath) throws(FreezeError) {
        for (position, output) in node.outputs.enumerated() where !output.isEmpty {
            var given: (label: String, origin: BatchStatisticSite.Origin)?
            if position == 0, let label = node.metadata[BatchStatisticLabels.nodeKey] {
                given = (label, .nodeLabel)
            }
            for entry in labels.entries
            where entry.tensor == output && BatchStatisticLabels.names(entry.graph, path.graph) {
                seen.insert(entry)
                if let given, given.label != entry.label {
                    throw .conflictingLabels(tensor: output, first: given.label, second: entry.label)
                }
                given = given ?? (entry.label, .modelLabel)
            }
            for selector in selectors where selector.matches(output) {
                matched.insert(selector.text)
                given = given ?? (output, .commandLine)
            }
            guard let given else { continue }
            found.append(
                FoundValue(
                    name: output,
                    label: given.label,
                    graph: path.graph,
                    maker: path,
                    origin: given.origin
                )
            )
        }
    }

    private func checkAllMatched() throws(FreezeError) {
        for entry in labels.entries where !seen.contains(entry) {
            guard graphs.contains(where: { BatchStatisticLabels.names(entry.graph, $0) }) else {
                throw .missingGraph(entry.graph, label: entry.label)
            }
            throw .missingTensor(entry.tensor, label: entry.label, graph: entry.graph)
        }
        for selector in selectors where !matched.contains(selector.text) {
            throw .unmatchedStatistic(selector.text)
        }
    }
}

/// A name of values, or a regular expression that matches whole names.
struct StatisticSelector {
    let text: String
    private let expression: Regex<AnyRegexOutput>?

    init(_ text: String) throws(FreezeError) {
        self.text = text
        expression = try? Regex(text)
        guard expression != nil || !text.isEmpty else { throw .invalidPattern(text) }
        guard expression != nil || !text.contains(where: "*+?[]()|^$".contains) else {
            throw .invalidPattern(text)
        }
    }

    func matches(_ name: String) -> Bool {
        if name == text { return true }
        guard let expression else { return false }
        return (try? expression.wholeMatch(in: name)) != nil
    }
}
