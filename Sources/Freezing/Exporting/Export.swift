import ONNXGraph
import TensorCore

/// One value that a training graph is made to put out.
enum Export: Hashable, Sendable {
    /// A value that a node makes.
    case value(String, graph: NodePath)
    /// The number of elements of one value divided by that of another.
    case ratio(of: String, to: String, graph: NodePath)
    /// A part of what an expanded normalization computes.
    case computed(NodePath, ComputedPart)
    /// 1 wherever a graph runs; 0 where a branch of If is not taken.
    case reached(NodePath)

    /// The parts that the expansion of a normalization makes.
    enum ComputedPart: Hashable, Sendable { case mean, variance, count, total }

    /// The graph that makes the value.
    var home: NodePath {
        switch self {
        case .value(_, let graph), .ratio(_, _, let graph), .reached(let graph): graph
        case .computed(let node, _): node.graph
        }
    }

    init(_ source: PositionSource) {
        switch source {
        case .value(let name, let graph): self = .value(name, graph: graph)
        case .ratio(let value, let result, let graph): self = .ratio(of: value, to: result, graph: graph)
        }
    }
}

/// The values that a site puts out.
struct SiteExports: Hashable, Sendable {
    var mean: Export?
    var variance: Export?
    var count: Export?
    var total: Export?
    /// Set where a branch of If is on the way.
    var reached: Export?

    init(_ found: FoundSite) {
        let site = found.site
        if found.isComputed {
            mean = .computed(site.path, .mean)
            variance = .computed(site.path, .variance)
            count = .computed(site.path, .count)
            total = .computed(site.path, .total)
        } else {
            mean = site.mean.map { .value($0.name, graph: $0.graph) }
            variance = site.variance.map { .value($0.name, graph: $0.graph) }
            count = found.count.map(Export.init)
            total = found.total.map(Export.init)
        }
        let graph = site.path.graph
        if graph.branchCount > 0 { reached = .reached(graph) }
    }

    var all: [Export] { [mean, variance, count, total, reached].compactMap(\.self) }
}

extension NodePath {
    /// How many branches of If are on the way.
    var branchCount: Int { steps.count { $0.isBranch } }

    /// Whether a loop is on the way to a branch of If.
    var hasLoopOutsideBranch: Bool {
        guard let last = steps.lastIndex(where: \.isBranch) else { return false }
        return steps[..<last].contains { $0.body != nil && !$0.isBranch }
    }

    /// Whether a loop is inside of a branch of If.
    var hasLoopInsideBranch: Bool {
        guard let first = steps.firstIndex(where: \.isBranch) else { return false }
        return steps[first...].contains { $0.body != nil && !$0.isBranch }
    }
}

extension NodePath.Step {
    /// Whether the way goes into a branch of If.
    var isBranch: Bool { body == "then_branch" || body == "else_branch" }

    /// Whether a step of the way to a graph leads through a node.
    static func isWay(_ step: NodePath.Step, through node: NodePath.Step) -> Bool {
        step.index == node.index && (node.body == nil || step.body == node.body)
    }
}
