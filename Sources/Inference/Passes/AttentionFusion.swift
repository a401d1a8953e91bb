import Kernels
import TensorCore

/// Makes MatMul, a scale, biases, masks, Softmax and MatMul one node, whose scores never stand in memory all at once.
///
/// Applies where nobody else reads what stands between them and the softmax is along the last axis, as far as that can be
/// told. No rounding changes.
enum AttentionFusion: PlannerPass {
    static let name = PassName.attentionFusion

    /// More biases and masks in a row than that are not looked for.
    private static let maximumAdjustments = 4

    struct Match {
        let index: Int
        let inputs: [PlanGraph.ValueID?]
        let computation: ScaledAttention
    }

    /// The nodes between queries and softmax.
    private struct Scores {
        let product: PlanGraph.Node
        var scaling = HeadAttention.Scaling.factor(1)
        var adjustments: [AttentionAdjustment] = []
        /// What the adjustments read.
        var inputs: [PlanGraph.ValueID] = []
        var parts: [ScaledAttention.Part]

        /// The scores with one more adjustment; `operands` are of its node.
        func adjusted(
            _ adjustment: AttentionAdjustment,
            by input: PlanGraph.ValueID,
            _ computation: any Operator,
            _ operands: (_ input: ScaledAttention.Operand) -> [ScaledAttention.Operand]
        ) -> Scores {
            var result = self
            let number = ScaledAttention.adjustmentInput + result.inputs.count
            result.adjustments.append(adjustment)
            result.inputs.append(input)
            result.parts.append((computation, operands(.input(number))))
            return result
        }
    }

    static func check(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) -> Match {
        let last = graph.nodes[index]
        guard let product = last.computation as? MatMul, product.prepared == nil, last.inputs.count == 2
        else {
            throw .otherOperator
        }
        let (weights, cleaning) = try weights(last.inputs[0], in: graph, facts)
        guard let softmax = weights.computation as? SoftmaxOperator else { throw .otherOperator }
        // An axis counted from the front must turn out to be the last; of matrices it is none before the second.
        guard let axis = softmax.plainAxis, axis == -1 || axis >= 2 else { throw .unsupportedShape }
        let scores = try scores(weights.inputs[0], in: graph, facts, adjustments: 0)
        // A constant right side is better packed once.
        guard let keys = scores.product.inputs[1], let values = last.inputs[1], graph.constant(keys) == nil,
            graph.constant(values) == nil
        else { throw .unsupportedShape }
        var parts = scores.parts
        parts.append((softmax, [.value]))
        if let cleaning { parts.append((cleaning, [.value])) }
        parts.append((product, [.value, .input(2)]))
        return Match(
            index: index,
            inputs: scores.product.inputs + [values] + scores.inputs,
            computation: ScaledAttention(
                scaling: scores.scaling,
                axis: axis,
                adjustments: scores.adjustments,
                cleaning: cleaning == nil ? .none : .everyNaN,
                parts: parts
            )
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

    /// The node that gives the probabilities, and what sets those to 0 that are no numbers, as exporters write it where a mask of
    /// bools may forbid all keys: `Where(IsNaN(p), 0, p)`.
    private static func weights(
        _ id: PlanGraph.ValueID?,
        in graph: PlanGraph,
        _ facts: GraphFacts
    ) throws(NoMatch) -> (node: PlanGraph.Node, cleaning: NaNToZero?) {
        let node = try producer(of: id, in: graph, facts)
        guard node.computation is Where else { return (node, nil) }
        guard node.inputs.count == 3, let weights = node.inputs[2], let source = facts.producers[weights],
            facts.useCounts[weights] == 2
        else { throw .otherOperator }
        let test = try producer(of: node.inputs[0], in: graph, facts)
        guard (test.computation as? FloatPredicate)?.isNaN ?? false, test.inputs == [weights] else {
            throw .otherOperator
        }
        guard try scalar(node.inputs[1], graph).bitPattern == 0 else { throw .notConstant }
        return (graph.nodes[source], NaNToZero())
    }

    /// The scores that a softmax reads, from the product on.
    private static func scores(
        _ id: PlanGraph.ValueID?,
        in graph: PlanGraph,
        _ facts: GraphFacts,
        adjustments count: Int
    ) throws(NoMatch) -> Scores {
        let node = try producer(of: id, in: graph, facts)
        switch node.computation {
        case is MatMul: return try product(node)
        case let arithmetic as Arithmetic where arithmetic.operation != .add:
            let scale = try scale(node, arithmetic.operation, graph)
            var scores = try product(producer(of: node.inputs[0], in: graph, facts))
            scores.scaling = scale.scaling
            scores.parts.append((arithmetic, [.value, .constant(scale.constant)]))
            return scores
        case let sum as Arithmetic:
            guard count < maximumAdjustments, node.inputs.count == 2 else { throw .otherOperator }
            if let bias = node.inputs[1],
                let scores = try? scores(node.inputs[0], in: graph, facts, adjustments: count + 1)
            {
                return scores.adjusted(.add, by: bias, sum) { [.value, $0] }
            }
            guard let bias = node.inputs[0],
                let scores = try? scores(node.inputs[1], in: graph, facts, adjustments: count + 1)
            else { throw .otherOperator }
            return scores.adjusted(.add, by: bias, sum) { [$0, .value] }
        case let choice as Where:
            guard count < maximumAdjustments, node.inputs.count == 3, let mask = node.inputs[0] else {
                throw .otherOperator
            }
            let condition = node.inputs[1].map { graph.constant($0) != nil } ?? false
            let value = try scalar(node.inputs[condition ? 1 : 2], graph)
            let scores = try scores(
                node.inputs[condition ? 2 : 1],
                in: graph,
                facts,
                adjustments: count + 1
            )
            let constant = ScaledAttention.Operand.constant(Tensor(scalar: value))
            return scores.adjusted(.fill(where: condition, value), by: mask, choice) {
                condition ? [$0, constant, .value] : [$0, .value, constant]
            }
        default: throw .otherOperator
        }
    }

    /// The product of queries and keys.
    private static func product(_ node: PlanGraph.Node) throws(NoMatch) -> Scores {
        guard let product = node.computation as? MatMul, product.prepared == nil, node.inputs.count == 2
        else {
            throw .otherOperator
        }
        return Scores(product: node, parts: [(product, [.value, .input(1)])])
    }

    /// A constant of one element, with no more axes than scores have.
    private static func scalar(_ id: PlanGraph.ValueID?, _ graph: PlanGraph) throws(NoMatch) -> Float {
        guard let constant = id.flatMap({ graph.constant($0) }) else { throw .notConstant }
        guard constant.elementType == .float32 else { throw .unsupportedElementType }
        guard constant.count == 1, constant.shape.rank <= 2 else { throw .unsupportedShape }
        return constant.array(of: Float.self)[0]
    }

    /// A multiplication by a constant, or a division.
    private static func scale(
        _ node: PlanGraph.Node,
        _ operation: BinaryOperation,
        _ graph: PlanGraph
    ) throws(NoMatch) -> (scaling: HeadAttention.Scaling, constant: Tensor) {
        guard operation == .multiply || operation == .divide else { throw .otherOperator }
        guard node.inputs.count == 2 else { throw .otherOperator }
        let value = try scalar(node.inputs[1], graph)
        return (operation == .multiply ? .factor(value) : .divisor(value), Tensor(scalar: value))
    }

    static func rewrite(_ match: Match, in graph: inout PlanGraph) -> NodeRewrite {
        .node(match.index, computation: match.computation, inputs: match.inputs)
    }
}
