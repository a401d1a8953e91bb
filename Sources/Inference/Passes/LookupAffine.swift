import Kernels
import TensorCore

/// In the body of a Scan, makes of a chain of operations with constants and rows of constant tables one scale and shift.
///
/// So the Sub, Div, Mul and Add of a normalization whose statistics are looked up by the number of the step become one
/// ``MultiplyAdd`` with two tables, computed in Double: `(x - m[i]) / d[i] * s + b = x * (s / d)[i] + (b - m s / d)[i]`.
/// The sum of two such is `x * scale[i] + (y * other[i] + shifts[i])`.
enum LookupAffine: PlannerPass {
    static let name = PassName.lookupAffine

    /// What becomes of a node, and of the nodes that look up what it takes.
    struct Match {
        /// New tables, by the node that looks up.
        var tables: [(lookup: TableLookup, table: Tensor)] = []
        /// A node that becomes a scale and shift.
        var node: (index: Int, operands: [Operand])?
        /// A value that becomes another.
        var equal: (value: PlanGraph.ValueID, other: PlanGraph.ValueID)?
    }

    enum Operand {
        case value(PlanGraph.ValueID)
        case constant(Tensor)
    }

    static func check(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) -> Match {
        guard graph.isScanBody else { throw .outsideOfScan }
        do throws(NoMatch) {
            return try chain(index, in: graph, facts)
        } catch {
            if let match = try? sum(index, in: graph, facts) { return match }
            if let match = try? addend(index, in: graph, facts) { return match }
            throw error
        }
    }

    /// A step behind another.
    private static func chain(
        _ index: Int,
        in graph: PlanGraph,
        _ facts: GraphFacts
    ) throws(NoMatch) -> Match {
        let second = try LookupStep(index, in: graph, facts)
        guard let producer = facts.producers[second.input] else { throw .otherOperator }
        let first = try LookupStep(producer, in: graph, facts)
        guard facts.useCounts[second.input] == 1 else { throw .intermediateIsUsed }
        let scale = try first.scale.combined(with: second.scale, *)
        let shift = try first.shift.combined(with: second.scale, *).combined(with: second.shift, +)
        var match = Match()
        var lookups = first.lookups + second.lookups
        // Constants alone are for another pass.
        guard !lookups.isEmpty else { throw .notConstant }
        let operands = [
            .value(first.input), try put(scale, &lookups, graph, &match),
            try put(shift, &lookups, graph, &match),
        ]
        try check(scale, shift)
        match.node = (index, operands)
        return match
    }

    /// The sum of two results: one of them takes the other for its shift, which takes both shifts.
    private static func sum(
        _ index: Int,
        in graph: PlanGraph,
        _ facts: GraphFacts
    ) throws(NoMatch) -> Match {
        let node = graph.nodes[index]
        guard let arithmetic = node.computation as? Arithmetic, arithmetic.operation == .add,
            node.inputs.count == 2, let left = node.inputs[0], let right = node.inputs[1], left != right,
            let first = facts.producers[left], let second = facts.producers[right]
        else { throw .otherOperator }
        // What comes last is the likelier to be a product that the scale and shift can be done with.
        let (inner, outer) = first < second ? (left, right) : (right, left)
        let outerNode = graph.nodes[max(first, second)]
        guard outerNode.computation is MultiplyAdd, facts.useCounts[outer] == 1 else { throw .otherOperator }
        let step = try LookupStep(max(first, second), in: graph, facts)
        var match = try adding(step.shift, step.lookups, to: inner, in: graph, facts)
        guard let x = outerNode.inputs[0], let scale = outerNode.inputs[1] else { throw .otherOperator }
        match.node = (index, [.value(x), .value(scale), .value(inner)])
        return match
    }

    /// A constant behind a sum that has a shift to take it.
    private static func addend(
        _ index: Int,
        in graph: PlanGraph,
        _ facts: GraphFacts
    ) throws(NoMatch) -> Match {
        let step = try AffineStep(graph.nodes[index], in: graph)
        guard step.scale.values == [1], let output = graph.nodes[index].outputs.first ?? nil,
            let producer = facts.producers[step.input], graph.nodes[producer].computation is MultiplyAdd,
            facts.useCounts[step.input] == 1, let inner = graph.nodes[producer].inputs[2]
        else { throw .otherOperator }
        var match = try adding(LookupArray(step.shift), [], to: inner, in: graph, facts)
        match.equal = (output, step.input)
        return match
    }

    /// Adds to the shift of a result that is a looked-up one.
    private static func adding(
        _ addend: LookupArray,
        _ others: [TableLookup],
        to value: PlanGraph.ValueID,
        in graph: PlanGraph,
        _ facts: GraphFacts
    ) throws(NoMatch) -> Match {
        guard facts.useCounts[value] == 1, let producer = facts.producers[value],
            graph.nodes[producer].computation is MultiplyAdd, let id = graph.nodes[producer].inputs[2]
        else { throw .otherOperator }
        let lookup = try TableLookup(id, in: graph, facts)
        guard others.allSatisfy({ $0.index == lookup.index }) else { throw .unsupportedShape }
        let old = LookupArray(lookup)
        let shift = try old.combined(with: addend, +)
        // A row must not become longer than the value that it makes.
        guard shift.array.shape == old.array.shape, let table = shift.array.tensor else {
            throw .unsupportedShape
        }
        try check(LookupArray(.one), shift)
        return Match(tables: [(lookup, table)])
    }

    private static func check(_ scale: LookupArray, _ shift: LookupArray) throws(NoMatch) {
        try AffineStep.check(scale: scale.array, shift: shift.array)
    }

    /// Where an operand stands: a constant, or what the next of the nodes that look up gives.
    private static func put(
        _ values: LookupArray,
        _ lookups: inout [TableLookup],
        _ graph: PlanGraph,
        _ match: inout Match
    ) throws(NoMatch) -> Operand {
        guard let tensor = values.array.tensor else { throw .unsupportedShape }
        guard values.isTable else { return .constant(tensor) }
        guard let lookup = lookups.first, lookups.allSatisfy({ $0.index == lookup.index }),
            let output = graph.nodes[lookup.node].outputs.first ?? nil
        else { throw .unsupportedShape }
        lookups.removeFirst()
        match.tables.append((lookup, tensor))
        return .value(output)
    }

    static func rewrite(_ match: Match, in graph: inout PlanGraph) -> NodeRewrite {
        var rewrites: [NodeRewrite] = []
        for (lookup, table) in match.tables {
            let id = graph.addValue(named: "", constant: table)
            rewrites.append(
                .node(lookup.node, computation: lookup.gather, inputs: [id, lookup.index])
            )
        }
        if let (index, operands) = match.node {
            var inputs: [PlanGraph.ValueID?] = []
            for operand in operands {
                switch operand {
                case .value(let id): inputs.append(id)
                case .constant(let tensor): inputs.append(graph.addValue(named: "", constant: tensor))
                }
            }
            rewrites.append(.node(index, computation: MultiplyAdd(), inputs: inputs))
        }
        if let (value, other) = match.equal { rewrites.append(.value(value, equals: other)) }
        return .all(rewrites)
    }
}
