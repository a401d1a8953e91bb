internal import Foundation
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
        StatisticSearch(labels: Labels(metadata: model.metadata))
            .first(in: model.graph, at: .root, SiteScope())
    }

    fileprivate struct Labels {
        private struct Entry: Decodable {
            let tensor: String
            let label: String
            let graph: [String]
        }

        private var entries: [Entry] = []

        init(metadata: [String: String]) {
            guard let text = metadata["bn_statistics"] else { return }
            entries = (try? JSONDecoder().decode([Entry].self, from: Data(text.utf8))) ?? []
        }

        /// The label of one of a node's outputs, and that output.
        func label(of node: Node, in graph: NodePath) -> (value: String, label: String)? {
            if let label = node.metadata["bn_statistic"], let output = node.outputs.first {
                return (output, label)
            }
            guard !entries.isEmpty else { return nil }
            let names = graph.steps.map(\.label)
            let found = entries.first { node.outputs.contains($0.tensor) && $0.graph == names }
            return found.map { ($0.tensor, $0.label) }
        }
    }
}

private struct StatisticSearch {
    let labels: UnfrozenStatistic.Labels

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
