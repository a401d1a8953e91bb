import Kernels
import TensorCore

/// Makes `x / 2 * (1 + erf(x / sqrt(2)))`, written out as exporters do, one function.
///
/// The factors may stand on either side, and the half before or behind the product. Rounds once where the five nodes round five
/// times.
enum GeluFusion: PlannerPass {
    static let name = PassName.geluFusion

    struct Match {
        let index: Int
        let source: PlanGraph.ValueID
    }

    static func check(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) -> Match {
        let pattern = Pattern(graph: graph, facts: facts)
        let last = graph.nodes[index]
        // (x * (1 + erf)) * 0.5
        if let (product, half) = pattern.scaled(last, .multiply), half == 0.5, pattern.isOnlyUse(product) {
            let source = try pattern.product(product)
            return Match(index: index, source: try pattern.gelu(source.0, source.1, halved: true))
        }
        // (x * 0.5) * (1 + erf)
        guard let output = last.outputs.first ?? nil else { throw .otherOperator }
        let (a, b) = try pattern.product(output)
        return Match(index: index, source: try pattern.gelu(a, b, halved: false))
    }

    static func rewrite(_ match: Match, in graph: inout PlanGraph) -> NodeRewrite {
        .node(match.index, computation: Unary(.gelu), inputs: [match.source])
    }

    private struct Pattern {
        let graph: PlanGraph
        let facts: GraphFacts

        func isOnlyUse(_ id: PlanGraph.ValueID) -> Bool { facts.useCounts[id] == 1 }

        func node(_ id: PlanGraph.ValueID) -> PlanGraph.Node? { facts.producers[id].map { graph.nodes[$0] } }

        func scalar(_ id: PlanGraph.ValueID?) -> Float? {
            guard let id, let constant = graph.constant(id), constant.elementType == .float32,
                constant.count == 1,
                constant.shape.rank <= 1
            else { return nil }
            return constant.array(of: Float.self)[0]
        }

        /// The operand and the scalar of an operation with one.
        func scaled(_ node: PlanGraph.Node, _ operation: BinaryOperation) -> (PlanGraph.ValueID, Float)? {
            guard let arithmetic = node.computation as? Arithmetic, arithmetic.operation == operation,
                node.inputs.count == 2, let a = node.inputs[0], let b = node.inputs[1]
            else { return nil }
            if let value = scalar(b) { return (a, value) }
            if operation != .divide, let value = scalar(a) { return (b, value) }
            return nil
        }

        /// The operands of a multiplication.
        func product(_ id: PlanGraph.ValueID) throws(NoMatch) -> (PlanGraph.ValueID, PlanGraph.ValueID) {
            guard let node = node(id), let arithmetic = node.computation as? Arithmetic,
                arithmetic.operation == .multiply, node.inputs.count == 2, let a = node.inputs[0],
                let b = node.inputs[1]
            else { throw .otherOperator }
            return (a, b)
        }

        /// The x of `x` and `1 + erf(x / sqrt(2))` in either order; `x` is halved before unless it is behind.
        func gelu(
            _ a: PlanGraph.ValueID,
            _ b: PlanGraph.ValueID,
            halved: Bool
        ) throws(NoMatch) -> PlanGraph.ValueID {
            for (factor, sum) in [(a, b), (b, a)] {
                guard let source = errorFunction(sum) else { continue }
                if halved {
                    if factor == source { return source }
                    continue
                }
                guard let node = node(factor), let (x, half) = scaled(node, .multiply), half == 0.5,
                    x == source
                else { continue }
                guard isOnlyUse(factor) else { throw .intermediateIsUsed }
                return source
            }
            throw .otherOperator
        }

        /// The x of `1 + erf(x / sqrt(2))`.
        private func errorFunction(_ sum: PlanGraph.ValueID) -> PlanGraph.ValueID? {
            guard isOnlyUse(sum), let add = node(sum), let (value, one) = scaled(add, .add), one == 1,
                isOnlyUse(value), let erf = node(value), (erf.computation as? Unary)?.function == .erf,
                let argument = erf.inputs.first ?? nil, isOnlyUse(argument), let scale = node(argument)
            else { return nil }
            if let (x, factor) = scaled(scale, .multiply), abs(factor - 0.70710678) < 1e-6 { return x }
            if let (x, divisor) = scaled(scale, .divide), abs(divisor - 1.41421356) < 1e-6 { return x }
            return nil
        }
    }
}
