import TensorCore

/// Labels every value of a graph with what is true of it for any sequence alone, from the inputs on.
struct LengthAnalysis {
    /// By value; nil where nothing is known.
    private(set) var facts: [ValueFacts?]
    /// By node, why nothing is known of its outputs.
    private(set) var reasons: [Int: NoRule] = [:]

    /// Labels the values of a graph.
    ///
    /// - Parameters:
    ///   - graph: A graph in topological order.
    ///   - inputs: The facts of its inputs, by value.
    init(_ graph: PlanGraph, inputs: [PlanGraph.ValueID: ValueFacts]) {
        facts = graph.values.map { $0.constant.flatMap { ValueFacts($0) } }
        for (id, known) in inputs { facts[id] = known }
        for index in graph.nodes.indices {
            do throws(NoRule) {
                let outputs = try infer(graph.nodes[index], in: graph)
                for (id, known) in zip(graph.nodes[index].outputs, outputs) {
                    if let id { facts[id] = known }
                }
            } catch {
                reasons[index] = error
            }
        }
    }

    private func infer(_ node: PlanGraph.Node, in graph: PlanGraph) throws(NoRule) -> [ValueFacts] {
        guard let computation = node.computation as? any MeasuredOperator else {
            throw NoRule("\(node.operatorType) has no packed rule")
        }
        guard node.inputs.allSatisfy({ $0 == nil || facts[$0 ?? 0] != nil }) else {
            throw NoRule("the shape of an input is unknown")
        }
        return try computation.facts(known(node, in: graph))
    }

    /// What is known of a node's inputs.
    func known(_ node: PlanGraph.Node, in graph: PlanGraph) -> NodeFacts {
        NodeFacts(
            inputs: node.inputs.map { $0.flatMap { facts[$0] } },
            constants: node.inputs.map { graph.constant($0) },
            outputCount: node.outputs.count
        )
    }
}
