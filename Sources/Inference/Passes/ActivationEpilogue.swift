import Kernels
import TensorCore

/// Computes an activation while the result of the Conv or the product before it is still in the cache.
enum ActivationEpilogue: PlannerPass {
    static let name = PassName.activationEpilogue

    struct Match {
        let producer: Int
        let node: Int
        let computation: any Operator
    }

    static func check(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) -> Match {
        let node = graph.nodes[index]
        guard let unary = node.computation as? Unary, let source = node.inputs.first ?? nil,
            let producer = facts.producers[source],
            let activated = activated(graph.nodes[producer].computation, by: unary.function)
        else { throw .otherOperator }
        guard facts.useCounts[source] == 1 else { throw .intermediateIsUsed }
        return Match(producer: producer, node: index, computation: activated)
    }

    /// An operator that has no activation yet with one; nil for those that take none.
    private static func activated(_ computation: any Operator, by function: UnaryOperation) -> (any Operator)?
    {
        if let conv = computation as? Conv, conv.activation == .identity {
            return conv.activated(by: function)
        }
        guard let product = computation as? MatMul, let prepared = product.prepared,
            prepared.activation == .identity
        else { return nil }
        return MatMul(
            prepared: MatMul.Prepared(matrix: prepared.matrix, bias: prepared.bias, activation: function)
        )
    }

    static func rewrite(_ match: Match, in graph: inout PlanGraph) -> NodeRewrite {
        .node(match.node, computation: match.computation, inputs: graph.nodes[match.producer].inputs)
    }
}
