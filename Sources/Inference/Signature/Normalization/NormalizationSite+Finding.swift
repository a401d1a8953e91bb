public import ONNXGraph

extension NormalizationSite {
    /// Finds where a model normalizes with population statistics, at any depth of loops.
    ///
    /// - Parameter model: A valid model.
    /// - Returns: The places in the order they run; every name once.
    /// - Complexity: O(nodes).
    public static func sites(in model: Model) -> [NormalizationSite] {
        var finder = SiteFinder(labels: StatisticLabels(metadata: model.metadata))
        finder.visit(model.graph, at: .root, in: SiteScope())
        return finder.sites
    }
}

private struct SiteFinder {
    let labels: StatisticLabels
    var sites: [NormalizationSite] = []
    private var names: Set<String> = []

    init(labels: StatisticLabels) { self.labels = labels }

    mutating func visit(_ graph: Graph, at path: NodePath, in outer: SiteScope) {
        let scope = outer.entering(graph, at: path)
        guard let level = scope.current else { return }
        for (index, node) in level.nodes.enumerated() {
            let nodePath = path.appending(node, at: index)
            let site =
                switch node.operatorType {
                case "BatchNormalization": BatchNormalizationSite.site(node, at: nodePath, in: scope)
                case "Div": AffineChainSite.site(node, at: index, in: scope)
                default: NormalizationSite?.none
                }
            if let site { add(site) }
            for subgraph in node.subgraphs {
                visit(subgraph.graph, at: nodePath.entering(subgraph.attribute), in: scope)
            }
        }
    }

    private mutating func add(_ found: NormalizationSite) {
        var site = found
        let stem = labels.stem(mean: site.mean, variance: site.variance) ?? site.path.description
        var name = stem
        var number = 1
        while !names.insert(name).inserted {
            number += 1
            name = "\(stem)#\(number)"
        }
        site.name = name
        sites.append(site)
    }
}
