/// Leaves out nodes whose output is their input: Identity, and Dropout outside of training.
enum IdentityRemoval: PlannerPass {
    static let name = PassName.identityRemoval

    struct Match {
        let output: PlanGraph.ValueID
        let input: PlanGraph.ValueID
    }

    static func check(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) -> Match {
        let node = graph.nodes[index]
        switch node.computation {
        case is Identity: break
        case let dropout as Dropout:
            guard !dropout.givesMask else { throw .unsupportedShape }
            if node.inputs.count > 2, node.inputs[2] != nil {
                guard let training = graph.constant(node.inputs[2]), training.elementType == .bool,
                    training.count == 1, !training.isTrue
                else { throw .notConstant }
            }
        default: throw .otherOperator
        }
        // With an output that the operator does not have, the node would stay and match again.
        guard let input = node.inputs.first ?? nil, let output = node.outputs.first ?? nil,
            node.outputs.dropFirst().allSatisfy({ $0 == nil })
        else { throw .otherOperator }
        return Match(output: output, input: input)
    }

    static func rewrite(_ match: Match, in graph: inout PlanGraph) -> NodeRewrite {
        .value(match.output, equals: match.input)
    }
}
