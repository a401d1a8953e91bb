import FoundationEssentials
import Inference
import ONNXGraph

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The labels of a frozen model's population statistics, `bn_population` in its metadata.
enum PopulationLabels {
    static let key = "bn_population"

    private struct Entry: Codable {
        var label: String
        var initializer: String
        var graph: [String]
    }

    /// Puts labels after those the model has, and removes the labels of batch statistics at every depth.
    static func write(
        _ population: [(label: String, initializer: String, graph: [String])],
        to model: inout Model
    ) {
        var metadata = model.metadata
        metadata[BatchStatisticLabels.modelKey] = nil
        if !population.isEmpty {
            var entries: [Entry] = []
            if let text = metadata[key] {
                entries = (try? JSONDecoder().decode([Entry].self, from: Data(text.utf8))) ?? []
            }
            entries += population.map { Entry(label: $0.label, initializer: $0.initializer, graph: $0.graph) }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            metadata[key] = (try? encoder.encode(entries)).map { String(decoding: $0, as: UTF8.self) }
        }
        model.metadata = metadata
        if let graph = unlabelled(model.graph) { model.graph = graph }
    }

    /// A graph without labels on its nodes; nil if it has none.
    private static func unlabelled(_ graph: Graph) -> Graph? {
        var nodes = graph.nodes
        var isChanged = false
        for index in nodes.indices {
            if nodes[index].metadata[BatchStatisticLabels.nodeKey] != nil {
                nodes[index].metadata[BatchStatisticLabels.nodeKey] = nil
                isChanged = true
            }
            for (attribute, subgraph) in nodes[index].subgraphs {
                guard let inner = unlabelled(subgraph) else { continue }
                nodes[index].replaceSubgraph(attribute, by: inner)
                isChanged = true
            }
        }
        guard isChanged else { return nil }
        var graph = graph
        graph.nodes = nodes
        return graph
    }
}
