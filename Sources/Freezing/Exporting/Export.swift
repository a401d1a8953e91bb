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
    /// 1 wherever a graph runs; 0 where a branch of If is not taken, or a loop has ended.
    case reached(NodePath)
    /// The most steps that a loop in a loop ran, float32 `[1]`.
    case longest(NodePath)

    /// The parts that the expansion of a normalization makes.
    enum ComputedPart: Hashable, Sendable { case mean, variance, count, total }

    /// The graph that makes the value.
    var home: NodePath {
        switch self {
        case .value(_, let graph), .ratio(_, _, let graph), .reached(let graph): graph
        case .computed(let node, _), .longest(let node): node.graph
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

/// What tells how many steps the loops in loops around a site ran.
struct LoopExports: Hashable, Sendable {
    /// For every loop but the outermost: 1 where its body ran.
    let flags: [Export]
    let longest: [Export]

    init(_ found: FoundSite) {
        let bodies = found.site.path.graph.loopBodies.dropFirst()
        flags = bodies.map { .reached($0) }
        longest = bodies.map { .longest($0.prefix(throughNode: $0.steps.count - 1)) }
    }

    var all: [Export] { flags + longest }
}

extension NodePath {
    /// How many branches of If are on the way.
    var branchCount: Int { steps.count { $0.isBranch } }

    /// Whether a graph is a subgraph of a node, at any depth.
    func isInside(_ node: NodePath) -> Bool { steps.starts(with: node.steps, by: NodePath.Step.isWay) }

    /// The bodies of the loops on the way, outermost first.
    var loopBodies: [NodePath] {
        steps.indices.filter { steps[$0].isLoop }.map { index in
            prefix(throughNode: index).entering(steps[index].body ?? "")
        }
    }

    /// Whether a loop is on the way to a branch of If.
    var hasLoopOutsideBranch: Bool {
        guard let last = steps.lastIndex(where: \.isBranch) else { return false }
        return steps[..<last].contains(where: \.isLoop)
    }

    /// Whether a loop is inside of a branch of If.
    var hasLoopInsideBranch: Bool {
        guard let first = steps.firstIndex(where: \.isBranch) else { return false }
        return steps[first...].contains(where: \.isLoop)
    }
}

extension NodePath.Step {
    /// Whether the way goes into a branch of If.
    var isBranch: Bool { body == "then_branch" || body == "else_branch" }

    /// Whether the way goes into the body of a loop.
    var isLoop: Bool { body != nil && !isBranch }

    /// Whether a step of the way to a graph leads through a node.
    static func isWay(_ step: NodePath.Step, through node: NodePath.Step) -> Bool {
        step.index == node.index && (node.body == nil || step.body == node.body)
    }
}
