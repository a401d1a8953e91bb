/// Rounds packed weights to bfloat16, where a model is to run so.
///
/// Nodes in the bodies of loops keep float32: they feed what they give back to themselves.
enum WeightNarrowing {
    static func run(on graph: inout PlanGraph) {
        for index in graph.nodes.indices {
            guard let narrow = graph.nodes[index].computation.narrowed() else { continue }
            graph.nodes[index].computation = narrow
        }
    }
}
