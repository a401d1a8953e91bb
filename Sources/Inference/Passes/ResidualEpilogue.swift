/// Adds what an Add joins to the result of a Conv or product while that is still in the cache; over packed rows.
///
/// Each element is the sum of the same two numbers, so that no bit changes.
enum ResidualEpilogue: PlannerPass {
    static let name = PassName.residualEpilogue

    struct Match {
        let producer: Int
        let node: Int
        let computation: any Operator
        let residual: PlanGraph.ValueID
    }

    static func check(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) -> Match {
        let node = graph.nodes[index]
        guard let sum = node.computation as? Arithmetic, sum.operation == .add, node.inputs.count == 2,
            let left = node.inputs[0], let right = node.inputs[1]
        else { throw .otherOperator }
        var isUsed = false
        for (value, residual) in [(right, left), (left, right)] where graph.constant(residual) == nil {
            guard let producer = facts.producers[value],
                let adding = graph.nodes[producer].computation.addingResidual()
            else { continue }
            if facts.useCounts[value] == 1 {
                return Match(producer: producer, node: index, computation: adding, residual: residual)
            }
            isUsed = true
        }
        throw isUsed ? .intermediateIsUsed : .otherOperator
    }

    static func rewrite(_ match: Match, in graph: inout PlanGraph) -> NodeRewrite {
        .node(
            match.node,
            computation: match.computation,
            inputs: graph.nodes[match.producer].inputs + [match.residual]
        )
    }
}
