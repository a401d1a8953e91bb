import Kernels
import TensorCore

/// Computes an activation while the result of the Conv before it is still in the cache.
enum ActivationEpilogue: PlannerPass {
    struct Match {
        let producer: Int
        let node: Int
        let computation: Conv
    }

    static func check(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) -> Match {
        let node = graph.nodes[index]
        guard let unary = node.computation as? Unary, let source = node.inputs.first ?? nil,
            let producer = facts.producers[source],
            let conv = graph.nodes[producer].computation as? Conv, conv.activation == .identity
        else { throw .otherOperator }
        guard facts.useCounts[source] == 1 else { throw .intermediateIsUsed }
        return Match(producer: producer, node: index, computation: conv.activated(by: unary.function))
    }

    static func rewrite(_ match: Match, in graph: inout PlanGraph) -> NodeRewrite {
        .node(match.node, computation: match.computation, inputs: graph.nodes[match.producer].inputs)
    }
}
