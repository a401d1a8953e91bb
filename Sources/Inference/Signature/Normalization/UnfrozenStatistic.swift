import ONNXGraph

/// A statistic that a model computes from the batch it is given: the model is one for training.
///
/// Either a BatchNormalization node in training mode, or a value that is labelled as a statistic, by `bn_statistic` in
/// its node's metadata or `bn_statistics` in the model's, and that is not made of constants.
struct UnfrozenStatistic: Equatable {
    /// The node that computes it, or that normalizes with it.
    let path: NodePath
    /// What the label calls it; nil if there is none.
    let label: String?

    /// The first one in the order the nodes run, at any depth of loops; nil if the model is frozen.
    static func first(in model: Model) -> UnfrozenStatistic? {
        StatisticSearch(labels: BatchStatisticLabels(metadata: model.metadata))
            .first(in: model.graph, at: .root, SiteScope())
    }
}

private struct StatisticSearch {
    let labels: BatchStatisticLabels

    func first(in graph: Graph, at path: NodePath, _ outer: SiteScope) -> UnfrozenStatistic? {
        let scope = outer.entering(graph, at: path)
        for (index, node) in (scope.current?.nodes ?? []).enumerated() {
            let nodePath = path.appending(node, at: index)
            if let (value, label) = labels.label(of: node, in: path), scope.constant(value) == nil {
                return UnfrozenStatistic(path: nodePath, label: label)
            }
            if node.operatorType == "BatchNormalization", node.domain.isEmpty,
                case .int(let mode)? = node.attribute("training_mode"), mode != 0
            {
                return UnfrozenStatistic(path: nodePath, label: nil)
            }
            for subgraph in node.subgraphs {
                if let found = first(in: subgraph.graph, at: nodePath.entering(subgraph.attribute), scope) {
                    return found
                }
            }
        }
        return nil
    }
}
