import TensorCore

/// Loop: a subgraph run until a trip count is reached or its condition is false.
///
/// Body inputs: iteration number, condition, states; body outputs: condition, states, scan outputs, which are
/// stacked along a new first axis.
struct Loop: Operator, TakingAllTypes {
    private let body: Subgraph
    private let stateCount: Int
    private let scanOutputCount: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(0...Int(Int32.max))
        body = try reader.subgraph("body")
        stateCount = max(0, reader.writtenInputCount - 2)
        guard body.inputCount == stateCount + 2 else {
            throw .subgraphSignature(attribute: "body", expected: stateCount + 2, actual: body.inputCount)
        }
        guard body.outputCount > stateCount else {
            throw .subgraphSignature(attribute: "body", expected: stateCount + 1, actual: body.outputCount)
        }
        scanOutputCount = body.outputCount - stateCount - 1
    }

    var isFoldable: Bool { false }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let limit = try inputs.integers(0).map { (values: [Int]) throws(OperatorError) in
            guard values.count == 1 else { throw .inputValue(input: 0) }
            return values[0]
        }
        var goesOn = try inputs.optional(1) == nil ? true : inputs.boolScalar(1)
        var states: [Value] = []
        for index in 0..<stateCount {
            guard let state = inputs.value(2 + index) else { throw .missingInput(2 + index) }
            states.append(state)
        }
        let frame = try body.makeFrame(inputs)
        var collected = [[Tensor]](repeating: [], count: scanOutputCount)
        var kept = ScanOutputBudget(inputs)
        var iteration = 0
        while goesOn && iteration < limit ?? .max {
            try inputs.budget.pointee.takeTrip()
            goesOn = try step(iteration, &states, frame, &collected, &kept)
            iteration += 1
        }
        guard scanOutputCount > 0 else { return Self.outputs(states, []) }
        if iteration == 0 {
            // A run that does not count tells the shapes.
            var unused = states
            _ = try step(0, &unused, frame, &collected, &kept)
        }
        var stacked: [Tensor] = []
        for parts in collected { stacked.append(try Self.stack(parts, count: iteration, inputs)) }
        return Self.outputs(states, stacked)
    }

    private static func outputs(_ states: [Value], _ stacked: [Tensor]) -> NodeOutputs {
        let tensors = states.compactMap(\.tensor)
        guard tensors.count < states.count else { return .many(tensors + stacked) }
        return .values(states + stacked.map { .tensor($0) })
    }

    private func step(
        _ iteration: Int,
        _ states: inout [Value],
        _ frame: borrowing Frame,
        _ collected: inout [[Tensor]],
        _ kept: inout ScanOutputBudget
    ) throws(OperatorError) -> Bool {
        frame.set(body.program.inputs[0], to: Tensor(scalar: Int64(iteration)))
        frame.set(body.program.inputs[1], to: Tensor(scalar: true))
        for index in states.indices {
            frame.set(body.program.inputs[2 + index], to: states[index])
            // The frame has the only reference then, so that a state can be changed in place.
            states[index] = .none
        }
        try body.run(frame)
        let condition = try body.output(0, from: frame)
        guard condition.elementType == .bool, condition.count == 1 else { throw .inputValue(input: 1) }
        for index in states.indices { states[index] = try body.takeValue(1 + index, from: frame) }
        for index in collected.indices {
            let part = try body.output(1 + states.count + index, from: frame)
            try kept.take(part.byteCount)
            collected[index].append(part)
        }
        return condition.isTrue
    }

    /// The first `count` parts along a new first axis; at least one part, for the shape.
    private static func stack(
        _ parts: [Tensor],
        count: Int,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let shape = try shaped { () throws(ShapeError) in try parts[0].shape.inserting(1, at: 0) }
        var rows: [Tensor] = []
        for part in parts {
            rows.append(try part.viewed(as: part.shape == parts[0].shape ? shape : part.shape))
        }
        let joined = try Concat.join(rows, axis: 0, inputs)
        return count == 0 ? joined.slice(0..<0) : joined
    }
}

/// What a loop gives is known where its states keep their shapes and nothing ends it early; its steps run sequence by
/// sequence, as a body may do with a whole sequence what it likes.
extension Loop: MeasuredOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let (graph, start) = (body.graph, body.captureStart)
        var known: [PlanGraph.ValueID: ValueFacts] = [:]
        for (position, id) in graph.inputs.enumerated() {
            switch position {
            case 0: known[id] = try inputs.made(.int64, [])
            // A step is taken only where the condition holds.
            case 1: known[id] = ValueFacts(Tensor(scalar: true))
            default:
                let state = try inputs[position]
                known[id] = try inputs.made(state.elementType, state.extents)
            }
        }
        for (index, id) in graph.captures.enumerated() { known[id] = try inputs[start + index] }
        let analysis = LengthAnalysis(graph, inputs: known)
        var results: [ValueFacts] = []
        for (position, id) in graph.outputs.enumerated().dropFirst() {
            guard let element = analysis.facts[id] else {
                throw NoRule("the shape of output \(position) of the body is unknown")
            }
            if position <= stateCount {
                let state = try inputs[1 + position]
                guard element.extents == state.extents, element.elementType == state.elementType else {
                    throw NoRule("a state changes its shape")
                }
                results.append(try inputs.made(state.elementType, state.extents))
                continue
            }
            guard let trips = inputs.optional(0)?.number,
                analysis.facts[graph.outputs[0]]?.uniform?.isTrue ?? false,
                inputs.optional(1).map({ $0.uniform?.isTrue ?? false }) ?? true
            else { throw NoRule("the number of steps is unknown") }
            results.append(try inputs.made(element.elementType, [trips] + element.extents))
        }
        return results
    }
}
