import Kernels

/// A rewrite of a plan's graph that changes how fast outputs are computed, not what they are.
///
/// `check` looks at one node and says why the rewrite does not apply there; `rewrite` does what `check` found.
protocol PlannerPass {
    associatedtype Match

    /// Its name where passes are left out.
    static var name: PassName { get }

    /// What the pass would do at a node, or why it does nothing.
    static func check(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) -> Match

    /// What to do.
    ///
    /// - Parameters:
    ///   - match: What `check` found.
    ///   - graph: The graph, to which values may be added.
    /// - Returns: The change that the pass makes.
    static func rewrite(_ match: Match, in graph: inout PlanGraph) -> NodeRewrite
}

/// Why a pass does nothing at a node.
enum NoMatch: Error, Equatable {
    case otherOperator
    /// The pass is for the bodies of Scans.
    case outsideOfScan
    case notConstant
    case unsupportedShape
    case unsupportedElementType
    /// The value between two nodes has other readers, or is an output.
    case intermediateIsUsed
    /// Folding would lose digits: a shift is many times larger than what it leaves.
    case wouldCancel
    case notFinite
}

/// The passes in their order, each run until it applies nowhere.
enum PlannerPasses {
    private static var all: [any PlannerPass.Type] {
        [
            IdentityRemoval.self, AffineChain.self, AffineIntoWeights.self, TableFolding.self,
            LookupAffine.self, AttentionFusion.self, GeluFusion.self, ActivationEpilogue.self,
            MultiplyAddFusion.self, ScanHoisting.self,
        ]
    }

    /// Rewrites a graph.
    ///
    /// - Parameters:
    ///   - graph: The graph.
    ///   - disabled: The passes that are left out.
    ///   - precision: The numbers of products with constant weights.
    ///   - instructionSet: What decides which is faster where a convolution could be filtered or rounded.
    static func run(
        on graph: inout PlanGraph,
        without disabled: Set<PassName> = [],
        precision: Precision = .float32,
        instructionSet: InstructionSet = .active
    ) {
        for pass in all where !disabled.contains(pass.name) { apply(pass, to: &graph) }
        graph.removeDeadNodes()
        if !disabled.contains(.weightPacking) { WeightPacking.run(on: &graph) }
        let narrows = precision == .bfloat16
        let hasTiles = instructionSet == .amx
        if narrows, hasTiles { WeightNarrowing.run(on: &graph) }
        if !disabled.contains(.minimalFiltering) { MinimalFiltering.run(on: &graph) }
        if narrows, !hasTiles { WeightNarrowing.run(on: &graph) }
    }

    /// Rewrites a graph over packed rows, whose nodes come from one that was rewritten.
    ///
    /// - Parameters:
    ///   - graph: The graph.
    ///   - disabled: The passes that are left out.
    static func runPacked(on graph: inout PlanGraph, without disabled: Set<PassName>) {
        if !disabled.contains(ResidualEpilogue.name) { apply(ResidualEpilogue.self, to: &graph) }
    }

    private static func apply<Pass: PlannerPass>(_ pass: Pass.Type, to graph: inout PlanGraph) {
        graph.removeDeadNodes()
        var facts = GraphFacts(graph)
        var index = 0
        while index < graph.nodes.count {
            if !facts.isDead[index], let match = try? Pass.check(index, in: graph, facts) {
                let rewrite = Pass.rewrite(match, in: &graph)
                facts.apply(rewrite, to: &graph)
                // What reads of a value are left may let an earlier node match.
                index = max(0, index - 8)
            } else {
                index += 1
            }
        }
        graph.removeDeadNodes()
    }
}
