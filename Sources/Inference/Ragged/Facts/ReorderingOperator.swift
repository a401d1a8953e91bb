import TensorCore

/// An operator that gives its first input's elements, in their order, under another shape.
protocol ReorderingOperator: RaggedOperator {
    /// The lengths of the result's axes.
    func extents(_ inputs: NodeFacts) throws(NoRule) -> [Number]
}

extension ReorderingOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        return [try inputs.made(x.elementType, try extents(inputs), x.content)]
    }

    func equalInput(_ inputs: NodeFacts) -> Int? {
        guard let x = inputs.optional(0) else { return nil }
        return (try? extents(inputs)) == x.extents ? 0 : nil
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let (x, result) = (try packing.input(0), packing.outputs[0])
        guard x.time == result.time else { throw NoRule("axes are joined with time") }
        if let from = x.timeAxis, let to = result.timeAxis {
            // As many elements stand before a position as before, and so as many in each of its blocks.
            guard let before = ValueFacts.count(x.extents[..<from]),
                let after = ValueFacts.count(result.extents[..<to]), before.factor == after.factor
            else { throw NoRule("axes are joined with time") }
        }
        let rows = try packing.rows(0)
        return [x.features == result.features ? rows : try packing.view(rows, as: result.features)]
    }
}
