import Inference
import ONNXGraph
import TensorCore

/// Finds operators that mix the sequences of a batch and are no known statistic.
enum HiddenStatistics {
    /// Warnings about what is left when the known statistics are constants.
    ///
    /// - Parameters:
    ///   - model: The training graph.
    ///   - sites: The statistics that are known.
    ///   - signature: Which input is the mask, where that is known: what is computed from it alone counts positions.
    /// - Returns: One warning a node, in the order they run.
    /// - Throws: What the rewrite throws.
    static func warnings(
        _ model: Model,
        _ sites: [FoundSite],
        signature: Signature?
    ) throws(FreezeError) -> [String] {
        var rest = model
        if !sites.contains(where: { $0.frozen != nil }) {
            let placeholders = sites.map { site in
                let steps = [Int](repeating: 1, count: site.site.depth)
                let none = (try? Shape(checking: steps)).map { Tensor.zeros(.float32, $0) }
                return SiteStatistics(
                    mean: site.site.mean == nil ? nil : none,
                    variance: site.site.variance == nil ? nil : none
                )
            }
            rest = GraphRewriter.rewrite(model, sites, placeholders)
        }
        var search = Search()
        let masks = Set([signature?.mask?.name, signature?.lengths?.name].compactMap(\.self))
        let named = rest.graph.requiredInputs.map(\.name).filter { !masks.contains($0) && $0 != "mask" }
        search.visit(
            rest.graph,
            ValueScope(opset: rest.opsetImports[""] ?? 0).entering(rest.graph, at: .root, owner: nil),
            data: Set(named)
        )
        return search.warnings
    }

    private struct Search {
        var warnings: [String] = []

        /// Follows what is computed from data, and looks at every operator that does.
        ///
        /// - Returns: Which outputs of the graph are computed from data.
        @discardableResult
        mutating func visit(_ graph: Graph, _ scope: ValueScope, data: Set<String>) -> [Bool] {
            guard let level = scope.current else { return [] }
            var data = data
            for (index, node) in level.nodes.enumerated() {
                let path = level.path.appending(node, at: index)
                var reads = node.inputs.contains { data.contains($0) }
                for (attribute, subgraph) in node.subgraphs {
                    let inner = scope.entering(subgraph, at: path.entering(attribute), owner: node)
                    let formal = zip(subgraph.inputs.suffix(node.inputs.count), node.inputs)
                    // States may be computed from data in any step, so they count as such.
                    let states = node.operatorType == "Scan" ? node.inputs.count - node.scanInputCount : 0
                    var inside = data
                    for (position, pair) in formal.enumerated()
                    where data.contains(pair.1) || position < states {
                        inside.insert(pair.0.name)
                    }
                    if node.isLoop { inside.formUnion(subgraph.inputs.dropFirst(2).map(\.name)) }
                    let outputs = visit(subgraph, inner, data: inside)
                    reads = reads || outputs.contains(true)
                }
                guard reads, !["Shape", "Size"].contains(node.operatorType) else { continue }
                if BatchMixing.mixes(node, in: scope) {
                    warnings.append(
                        "\(path) (\(node.operatorType)) takes the sequences of a batch together and is no known statistic; "
                            + "label it if it is one"
                    )
                }
                data.formUnion(node.outputs.filter { !$0.isEmpty })
            }
            return graph.outputs.map { data.contains($0.name) }
        }
    }
}

/// Which operators take the sequences of a batch, axis 0, together.
enum BatchMixing {
    static func mixes(_ node: Node, in scope: ValueScope) -> Bool {
        guard node.domain.isEmpty else { return false }
        switch node.operatorType {
        case "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
            "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare":
            return BatchAxes.contains(node, in: scope)
        case "MeanVarianceNormalization":
            return node.ints("axes").map { $0.contains(0) } ?? true
        case "Softmax", "LogSoftmax", "Hardmax", "ArgMax", "ArgMin", "LpNormalization":
            return node.int("axis") == 0
        default:
            return false
        }
    }
}
