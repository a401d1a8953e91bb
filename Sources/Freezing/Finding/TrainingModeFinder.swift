import ONNXGraph

/// Finds BatchNormalization nodes in training mode.
enum TrainingModeFinder {
    /// The nodes, at any depth, as sites: their mean and variance are inside of the operator and have no name.
    static func sites(in model: Model) -> [FoundSite] {
        var sites: [FoundSite] = []
        visit(model.graph, at: .root, opset: model.opsetImports[""] ?? 0, &sites)
        return sites
    }

    private static func visit(_ graph: Graph, at path: NodePath, opset: Int, _ sites: inout [FoundSite]) {
        for (index, node) in graph.nodes.enumerated() {
            let nodePath = path.appending(node, at: index)
            if node.isTrainingBatchNormalization(opset: opset) { sites.append(site(node, at: nodePath)) }
            for subgraph in node.subgraphs {
                visit(subgraph.graph, at: nodePath.entering(subgraph.attribute), opset: opset, &sites)
            }
        }
    }

    static func site(
        _ node: Node,
        at path: NodePath,
        label: String? = nil,
        origin: BatchStatisticSite.Origin = .trainingMode
    ) -> FoundSite {
        let stem = label ?? Self.stem(node, at: path)
        let graph = path.graph
        func value(_ role: String) -> StatisticValue {
            StatisticValue(label: "\(stem).\(role)", name: "", graph: graph)
        }
        return FoundSite(
            site: BatchStatisticSite(
                label: stem,
                origin: origin,
                path: path,
                depth: graph.loops.count,
                mean: value("mean"),
                variance: value("var"),
                count: value("count"),
                total: value("total"),
                loops: graph.loops
            )
        )
    }

    /// The name of the module that the parameters are called after, else the node's.
    private static func stem(_ node: Node, at path: NodePath) -> String {
        for (position, suffix) in [(3, ".running_mean"), (1, ".weight"), (1, ".scale"), (1, ".gamma")]
        where node.inputs.count > position {
            let name = node.inputs[position]
            if name.hasSuffix(suffix), name.count > suffix.count {
                return String(name.dropLast(suffix.count))
            }
        }
        return path.steps.last?.label ?? "bn"
    }
}

extension Node {
    /// Whether the node normalizes with the statistics of its batch.
    ///
    /// Before opset 14 that is told by its further outputs.
    func isTrainingBatchNormalization(opset: Int) -> Bool {
        guard operatorType == "BatchNormalization", domain.isEmpty, inputs.count == 5 else { return false }
        if opset >= 14 { return (int("training_mode") ?? 0) != 0 }
        return outputs.dropFirst().contains { !$0.isEmpty }
    }
}
