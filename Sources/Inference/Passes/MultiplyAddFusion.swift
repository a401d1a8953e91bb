import Kernels
import TensorCore

/// In the body of a Scan, adds to a product in the pass over memory that computes it: `a * b + c` becomes one node.
enum MultiplyAddFusion: PlannerPass {
    static let name = PassName.multiplyAdd

    struct Match {
        let node: Int
        let inputs: [PlanGraph.ValueID?]
    }

    static func check(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) -> Match {
        guard graph.isScanBody else { throw .outsideOfScan }
        let node = graph.nodes[index]
        guard let sum = node.computation as? Arithmetic, sum.operation == .add, node.inputs.count == 2,
            let left = node.inputs[0], let right = node.inputs[1]
        else { throw .otherOperator }
        var isUsed = false
        for (factor, addend) in [(right, left), (left, right)] {
            guard let producer = facts.producers[factor],
                let product = graph.nodes[producer].computation as? Arithmetic,
                product.operation == .multiply,
                graph.nodes[producer].inputs.count == 2
            else { continue }
            guard facts.useCounts[factor] == 1 else {
                isUsed = true
                continue
            }
            return Match(node: index, inputs: graph.nodes[producer].inputs + [addend])
        }
        throw isUsed ? .intermediateIsUsed : .otherOperator
    }

    static func rewrite(_ match: Match, in graph: inout PlanGraph) -> NodeRewrite {
        .node(match.node, computation: MultiplyAdd(), inputs: match.inputs)
    }
}
