/// Does once what a node does with its constant inputs alone: weights packed for the kernels, parameters merged.
///
/// No rounding changes. Unlike a ``PlannerPass`` it leaves the graph as it is, and puts a better operator in a node's place.
enum WeightPacking {
    /// The better operator for a node; nil if there is none.
    static func check(_ index: Int, in graph: PlanGraph) -> (any Operator)? {
        let node = graph.nodes[index]
        return node.computation.prepare(node.inputs.map { graph.constant($0) })
    }

    static func run(on graph: inout PlanGraph) {
        for index in graph.nodes.indices {
            guard let prepared = check(index, in: graph) else { continue }
            graph.nodes[index].computation = prepared
        }
    }
}
