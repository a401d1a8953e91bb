/// Lets convolutions with packed weights take fewer products by minimal filtering (Winograd), where that is faster.
///
/// Results move by two to three and a half times the rounding of the sums. A convolution that was rounded to bfloat16 stays as it is: with
/// tiles of bfloat16 it is the faster way, with pairs, or in their place float32, it is not, and filtering goes first.
enum MinimalFiltering {
    /// The filtering operator for a node; nil if it gains nothing.
    static func check(_ index: Int, in graph: PlanGraph) -> (any Operator)? {
        graph.nodes[index].computation.filtered()
    }

    static func run(on graph: inout PlanGraph) {
        for index in graph.nodes.indices {
            guard let filtered = check(index, in: graph) else { continue }
            graph.nodes[index].computation = filtered
        }
    }
}
