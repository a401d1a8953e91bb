import TensorCore

/// An operator whose result's elements each depend on one element of each input, all broadcast to one shape.
///
/// Its packed rule is itself: over rows it computes what it computes over tensors.
protocol PointwiseOperator: RaggedOperator {
    /// The type of the result.
    func resultType(_ types: [ElementType]) -> ElementType

    /// The result of known numbers, if it can be written.
    func number(_ operands: [Number], _ type: ElementType) -> Number?

    /// The same operator for rows, whose constants inside lost the axes that rows do not have.
    func onRows(of result: ValueFacts) throws(NoRule) -> any Operator

    /// The shapes of constants inside, which take part in the broadcast.
    var innerShapes: [Shape] { get }
}

extension PointwiseOperator {
    func resultType(_ types: [ElementType]) -> ElementType { types[0] }

    func number(_ operands: [Number], _ type: ElementType) -> Number? { nil }

    func onRows(of result: ValueFacts) throws(NoRule) -> any Operator { self }

    var innerShapes: [Shape] { [] }

    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let present = inputs.inputs.compactMap { $0 }
        guard !present.isEmpty, inputs.outputCount == 1 else { throw NoRule("more than one output") }
        var extents: [Number] = []
        for shape in innerShapes {
            extents = try ValueFacts.broadcast(extents, shape.dimensions.map { .integer($0) })
        }
        for facts in present { extents = try ValueFacts.broadcast(extents, facts.extents) }
        let type = resultType(present.map(\.elementType))
        return [try inputs.made(type, extents, content(inputs, present, extents, type))]
    }

    private func content(
        _ inputs: NodeFacts,
        _ present: [ValueFacts],
        _ extents: [Number],
        _ type: ElementType
    ) -> ValueFacts.Content {
        let scalars = inputs.inputs.map { $0?.uniform }
        if innerShapes.isEmpty, zip(inputs.inputs, scalars).allSatisfy({ $0 == nil || $1 != nil }),
            let result = ConstantFolding.evaluate(self, scalars, outputs: 1, .standard)?.first,
            let scalar = Scalar(result), scalar.elementType == type
        {
            if type == .int64 || type == .int32, extents.isEmpty || extents == [.integer(1)],
                let value = try? result.integers(input: 0)
            {
                return .numbers([.integer(value[0])])
            }
            return .uniform(scalar)
        }
        let lists = present.compactMap(\.numbers)
        let count = lists.map(\.count).max() ?? 0
        guard lists.count == present.count, present.count == inputs.count,
            lists.allSatisfy({ $0.count == count || $0.count == 1 }),
            let (total, functions) = ValueFacts.count(extents), functions.isEmpty, total == count,
            extents.count <= 1 || count == 1
        else { return .unknown }
        let results = (0..<count).compactMap { index in
            number(lists.map { $0.count == 1 ? $0[0] : $0[index] }, type)
        }
        return results.count == count ? .numbers(results) : .unknown
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let result = packing.outputs[0]
        var varies = false
        var operands: [PlanGraph.ValueID?] = []
        for index in 0..<packing.known.count {
            let operand = try packing.operand(index, alignedTo: result)
            varies = varies || operand?.varies ?? false
            operands.append(operand?.id)
        }
        guard varies else { throw NoRule("no input has rows") }
        return [packing.emit(try onRows(of: result), operands)]
    }
}
