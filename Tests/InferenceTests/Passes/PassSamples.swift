import ONNXGraph
import TensorCore

@testable import Inference

/// Why a pass leaves the last node of a graph alone; nil if it does not.
func reason<Pass: PlannerPass>(_ pass: Pass.Type, _ graph: PlanGraph) -> NoMatch? {
    do throws(NoMatch) {
        _ = try Pass.check(graph.nodes.count - 1, in: graph, GraphFacts(graph))
        return nil
    } catch {
        return error
    }
}

/// A graph as it is before any pass, with float32 outputs.
func planGraph(
    _ nodes: [Node],
    _ constants: [String: Tensor],
    inputs: [(name: String, type: ElementType)],
    outputs: [String],
    opset: Int = 17,
    without disabled: Set<PassName> = []
) throws -> PlanGraph {
    let source = Graph(
        name: "g",
        nodes: nodes,
        initializers: constants.sorted { $0.key < $1.key }.map { Initializer($0.key, $0.value) },
        inputs: inputs.map { ValueInfo($0.name, elementType: $0.type, dimensions: nil) },
        outputs: outputs.map { ValueInfo($0, elementType: .float32, dimensions: nil) }
    )
    let scope = GraphScope(path: .root, opsets: ["": opset], parent: nil, disabled: disabled)
    try scope.add(source, outputs: outputs)
    return scope.graph
}
