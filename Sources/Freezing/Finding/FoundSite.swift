import ONNXGraph

/// A site with what the public description leaves out: where its numbers of positions come from.
struct FoundSite: Sendable, Hashable {
    var site: BatchStatisticSite
    var count: PositionSource?
    var total: PositionSource?
    /// The frozen normalization, where its statistics are estimated anew.
    var frozen: FrozenSite?
}

/// Where in a graph the number of positions that a statistic is of can be read.
enum PositionSource: Sendable, Hashable {
    /// A value of the graph.
    case value(String, graph: NodePath)
    /// The number of elements of one value divided by that of another: what a reduction reduces to one.
    case ratio(of: String, to: String, graph: NodePath)

    var graph: NodePath {
        switch self {
        case .value(_, let graph), .ratio(_, _, let graph): graph
        }
    }

    /// The value's name, if it is one.
    var name: String {
        switch self {
        case .value(let name, _): name
        case .ratio: ""
        }
    }
}

/// A value that was found to be a statistic, before it is joined with the others of its site.
struct FoundValue {
    let name: String
    let label: String
    let graph: NodePath
    let maker: NodePath
    let origin: BatchStatisticSite.Origin
}

extension FoundSite {
    /// Whether the graph does not make the statistics itself, so that they are written into it.
    var isComputed: Bool { frozen != nil || isNormalization }

    /// Whether the site is a BatchNormalization node, which keeps its statistics to itself.
    var isNormalization: Bool { frozen?.subtraction == nil && site.mean?.name.isEmpty ?? false }

    /// The node whose first input is normalized, where the statistics are written into the graph.
    var normalizingNode: NodePath { frozen?.subtraction ?? site.path }
}
