import Kernels
import TensorCore

/// Makes MatMul, a scale, a bias, Softmax and MatMul one node, whose scores never stand in memory all at once.
///
/// Applies where nobody else reads what stands between them and the softmax is along the last axis. No rounding changes.
enum AttentionFusion: PlannerPass {
    static let name = PassName.attentionFusion

    struct Match {
        let index: Int
        let inputs: [PlanGraph.ValueID?]
        let computation: ScaledAttention
    }

    static func check(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) -> Match {
        let last = graph.nodes[index]
        guard let product = last.computation as? MatMul, product.prepared == nil, last.inputs.count == 2
        else {
            throw .otherOperator
        }
        let weights = try producer(of: last.inputs[0], in: graph, facts)
        guard let softmax = weights.computation as? SoftmaxOperator else { throw .otherOperator }
        guard softmax.isAlongLastAxis else { throw .unsupportedShape }
        var parts: [ScaledAttention.Part] = [(softmax, .none), (product, .input(2))]
        var source = try producer(of: weights.inputs[0], in: graph, facts)
        var scaling = HeadAttention.Scaling.factor(1)
        var bias: PlanGraph.ValueID?
        if let sum = source.computation as? Arithmetic, sum.operation == .add {
            let operands = try addends(source, in: graph, facts)
            parts.insert((sum, .input(3)), at: 0)
            (source, bias) = (operands.scores, operands.bias)
        }
        if let arithmetic = source.computation as? Arithmetic {
            let scale = try scale(source, arithmetic.operation, graph)
            scaling = scale.scaling
            parts.insert((arithmetic, .constant(scale.constant)), at: 0)
            source = try producer(of: source.inputs[0], in: graph, facts)
        }
        guard let scores = source.computation as? MatMul, scores.prepared == nil, source.inputs.count == 2
        else {
            throw .otherOperator
        }
        // A constant right side is better packed once.
        guard let keys = source.inputs[1], let values = last.inputs[1], graph.constant(keys) == nil,
            graph.constant(values) == nil
        else { throw .unsupportedShape }
        parts.insert((scores, .input(1)), at: 0)
        return Match(
            index: index,
            inputs: source.inputs + [last.inputs[1]] + (bias.map { [$0] } ?? []),
            computation: ScaledAttention(scaling: scaling, parts: parts)
        )
    }

    /// The node that gives a value which nobody else reads.
    private static func producer(
        of id: PlanGraph.ValueID?,
        in graph: PlanGraph,
        _ facts: GraphFacts
    ) throws(NoMatch) -> PlanGraph.Node {
        guard let id, let index = facts.producers[id] else { throw .otherOperator }
        guard facts.useCounts[id] == 1 else { throw .intermediateIsUsed }
        return graph.nodes[index]
    }

    /// The node that gives the scores, scaled or not, and what is added to them.
    private static func addends(
        _ node: PlanGraph.Node,
        in graph: PlanGraph,
        _ facts: GraphFacts
    ) throws(NoMatch) -> (scores: PlanGraph.Node, bias: PlanGraph.ValueID) {
        for (score, bias) in [(0, 1), (1, 0)] where node.inputs.count == 2 {
            guard let source = try? producer(of: node.inputs[score], in: graph, facts),
                let addend = node.inputs[bias]
            else { continue }
            switch source.computation {
            case is MatMul: return (source, addend)
            case let scale as Arithmetic where scale.operation == .multiply || scale.operation == .divide:
                guard (try? producer(of: source.inputs[0], in: graph, facts))?.computation is MatMul else {
                    continue
                }
                return (source, addend)
            default: continue
            }
        }
        throw .otherOperator
    }

    /// A multiplication by a constant, or a division.
    private static func scale(
        _ node: PlanGraph.Node,
        _ operation: BinaryOperation,
        _ graph: PlanGraph
    ) throws(NoMatch) -> (scaling: HeadAttention.Scaling, constant: Tensor) {
        guard operation == .multiply || operation == .divide else { throw .otherOperator }
        guard node.inputs.count == 2, let constant = graph.constant(node.inputs[1]) else {
            throw .notConstant
        }
        guard constant.elementType == .float32 else { throw .unsupportedElementType }
        guard constant.count == 1, constant.shape.rank <= 2 else { throw .unsupportedShape }
        let value = constant.array(of: Float.self)[0]
        return (operation == .multiply ? .factor(value) : .divisor(value), constant)
    }

    static func rewrite(_ match: Match, in graph: inout PlanGraph) -> NodeRewrite {
        .node(match.index, computation: match.computation, inputs: match.inputs)
    }
}
