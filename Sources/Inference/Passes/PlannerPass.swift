/// A rewrite of a plan's graph that changes how fast outputs are computed, not what they are.
///
/// `check` looks at one node and says why the rewrite does not apply there; `rewrite` does what `check` found.
protocol PlannerPass {
    associatedtype Match

    /// What the pass would do at a node, or why it does nothing.
    static func check(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) -> Match

    /// Does it.
    static func rewrite(_ match: Match, in graph: inout PlanGraph)
}

/// Why a pass does nothing at a node.
enum NoMatch: Error, Equatable {
    case otherOperator
    case notConstant
    case unsupportedShape
    case unsupportedElementType
    /// The value between two nodes has other readers, or is an output.
    case intermediateIsUsed
    /// Folding would lose digits: a shift is many times larger than what it leaves.
    case wouldCancel
    case notFinite
}

/// Who makes and who reads each value, as of one moment.
struct GraphFacts {
    let useCounts: [Int]
    let producers: [Int?]

    init(_ graph: PlanGraph) {
        useCounts = graph.useCounts()
        producers = graph.producers()
    }
}

/// The passes in their order, run until none applies; without rewriting only those that change no rounding.
enum PlannerPasses {
    static func run(on graph: inout PlanGraph, rewriting: Bool = true) {
        apply(IdentityRemoval.self, to: &graph)
        if rewriting {
            apply(AffineChain.self, to: &graph)
            apply(AffineIntoWeights.self, to: &graph)
            apply(ActivationEpilogue.self, to: &graph)
            apply(ScanHoisting.self, to: &graph)
        }
        graph.removeDeadNodes()
        for index in graph.nodes.indices {
            let constants = graph.nodes[index].inputs.map { graph.constant($0) }
            guard let prepared = graph.nodes[index].computation.prepare(constants) else { continue }
            graph.nodes[index].computation = prepared
        }
    }

    private static func apply<Pass: PlannerPass>(_ pass: Pass.Type, to graph: inout PlanGraph) {
        var index = 0
        var facts = GraphFacts(graph)
        while index < graph.nodes.count {
            if let match = try? Pass.check(index, in: graph, facts) {
                Pass.rewrite(match, in: &graph)
                graph.removeDeadNodes()
                facts = GraphFacts(graph)
                index = max(0, index - 8)
            } else {
                index += 1
            }
        }
    }
}
