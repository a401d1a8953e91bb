import TensorCore

/// The packed rule of Scan: over time, with the sequences that have not ended as rows of the body's values.
extension Scan: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let (steps, elements) = try elements(inputs)
        let analysis = try bodyAnalysis(body.graph, inputs, elements)
        var results: [ValueFacts] = []
        for (position, id) in body.graph.outputs.enumerated() {
            guard let known = analysis.facts[id] else {
                throw NoRule("the shape of output \(position) of the body is unknown")
            }
            if position < stateCount {
                let state = try inputs[position]
                guard known.extents == state.extents, known.elementType == state.elementType else {
                    throw NoRule("a state changes its shape")
                }
                results.append(try inputs.made(state.elementType, state.extents))
                continue
            }
            let stream = scanOutputs[position - stateCount]
            var extents = known.extents
            extents.insert(steps, at: try NodeFacts.axis(stream.axis, rank: known.rank + 1))
            results.append(try inputs.made(known.elementType, extents))
        }
        return results
    }

    /// The number of steps, and what is known of the scan inputs in one step.
    private func elements(_ inputs: NodeFacts) throws(NoRule) -> (steps: Number, elements: [ValueFacts]) {
        var steps: Number?
        var elements: [ValueFacts] = []
        for (index, stream) in scanInputs.enumerated() {
            let x = try inputs[stateCount + index]
            let axis = try NodeFacts.axis(stream.axis, rank: x.rank)
            guard steps ?? x.extents[axis] == x.extents[axis] else {
                throw NoRule("scan inputs differ in length")
            }
            steps = x.extents[axis]
            var extents = x.extents
            extents.remove(at: axis)
            var content = ValueFacts.Content.unknown
            if case .uniform = x.content { content = x.content }
            elements.append(try inputs.made(x.elementType, extents, content))
        }
        guard let steps else { throw NoRule("there is no scan input") }
        return (steps, elements)
    }

    /// What is known of the body's values in any step.
    private func bodyAnalysis(
        _ graph: PlanGraph,
        _ inputs: NodeFacts,
        _ elements: [ValueFacts]
    ) throws(NoRule) -> LengthAnalysis {
        LengthAnalysis(graph, inputs: try bodyFacts(graph, inputs, elements))
    }

    /// What is known of what the body reads.
    private func bodyFacts(
        _ graph: PlanGraph,
        _ inputs: NodeFacts,
        _ elements: [ValueFacts]
    ) throws(NoRule) -> [PlanGraph.ValueID: ValueFacts] {
        var known: [PlanGraph.ValueID: ValueFacts] = [:]
        for (position, id) in graph.inputs.enumerated() {
            guard position < stateCount else {
                known[id] = elements[position - stateCount]
                continue
            }
            let state = try inputs[position]
            known[id] = try inputs.made(state.elementType, state.extents)
        }
        for (index, id) in graph.captures.enumerated() {
            known[id] = try inputs[body.captureStart + index]
        }
        return known
    }

    /// The schedule without what a mask that is true everywhere decides, unless that pass is left out.
    private func folded(
        _ schedule: ScanSchedule,
        _ known: [PlanGraph.ValueID: ValueFacts]
    ) -> ScanSchedule {
        var graph = schedule.graph
        guard graph.foldsKnownValues else { return schedule }
        KnownValues.fold(&graph, inputs: known)
        let producers = graph.producers()
        // A state must still be made by a node, or be the one it was.
        guard zip(graph.outputs, schedule.graph.outputs).allSatisfy({ $0 == $1 || producers[$0] != nil }),
            graph.outputs.allSatisfy({ graph.constant($0) == nil })
        else { return schedule }
        return (try? ScanSchedule(graph, stateCount: stateCount)) ?? schedule
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        guard let whole = schedule else { throw NoRule("the body does not run in place") }
        let (steps, elements) = try elements(packing.known)
        guard case .length(let time) = steps else { throw NoRule("the steps are not those of the sequence") }
        let schedule = folded(whole, try bodyFacts(whole.graph, packing.known, elements))
        let analysis = try bodyAnalysis(schedule.graph, packing.known, elements)
        for (id, role) in schedule.roles.enumerated() where role == .state {
            guard let facts = analysis.facts[id], Self.isRow(facts) else {
                throw NoRule("a value of the body is no row of each sequence")
            }
        }
        for id in schedule.graph.outputs {
            guard let facts = analysis.facts[id], Self.isRow(facts) else {
                throw NoRule("an output of the body is no row of each sequence")
            }
        }
        var operands: [PlanGraph.ValueID?] = [packing.offsets(time)]
        var columns: [Int] = []
        for index in 0..<stateCount {
            operands.append(try packing.sequenceValue(index))
            columns.append(try packing.input(index).constant(1) ?? 1)
        }
        var sources: [SegmentScan.Source] = []
        var rows: Set<PlanGraph.ValueID> = []
        for (index, element) in elements.enumerated() {
            if let source = try shared(stateCount + index, element, packing) {
                sources.append(source)
                continue
            }
            guard Self.isRow(element) else { throw NoRule("scan input \(index) is no row of each sequence") }
            sources.append(.rows)
            rows.insert(body.graph.inputs[stateCount + index])
            let value = try packing.rows(stateCount + index)
            operands.append(try packing.view(value, as: [element.constant(1) ?? 1]))
        }
        guard let parts = schedule.parts(rows: rows, withProducts: false),
            let joinedParts = schedule.parts(rows: rows, withProducts: true)
        else {
            throw NoRule("the body looks up what each sequence has of its own")
        }
        for index in 0..<body.captureCount {
            operands.append(try captured(body.captureStart + index, packing))
        }
        let results = packing.emit(
            SegmentScan(
                schedule: schedule,
                parts: parts,
                partsOfManyRows: joinedParts,
                sources: sources,
                stateColumns: columns,
                isReversed: scanInputs[0].isReversed,
                outputsReversed: scanOutputs.map(\.isReversed)
            ),
            operands,
            outputs: body.outputCount
        )
        var outputs: [PlanGraph.ValueID] = []
        for (index, id) in schedule.graph.outputs.enumerated() {
            let columns = analysis.facts[id]?.constant(1) ?? 1
            outputs += try packing.finished(results[index], features: [columns])
        }
        return outputs
    }

    /// Whether a value of the body has one row, and a batch would be its rows.
    private static func isRow(_ facts: ValueFacts) -> Bool {
        facts.rank == 2 && facts.extents[0] == .integer(1) && facts.constant(1) != nil
    }

    /// A scan input that is the same for all sequences; nil if each has its own.
    private func shared(
        _ index: Int,
        _ element: ValueFacts,
        _ packing: NodePacking
    ) throws(NoRule) -> SegmentScan.Source? {
        let facts = try packing.input(index)
        let extents = element.extents.indices.compactMap { element.constant($0) }
        guard extents.count == element.rank else { throw NoRule("scan input \(index) has two axes of time") }
        switch facts.content {
        case .uniform(let scalar): return .uniform(scalar.tensor, extents: extents)
        case .positions:
            guard !scanInputs[0].isReversed else { throw NoRule("positions are counted from the end") }
            return .positions(extents: extents)
        case .unknown, .numbers: return nil
        }
    }

    /// A value of the enclosing graph that all sequences share.
    private func captured(_ index: Int, _ packing: NodePacking) throws(NoRule) -> PlanGraph.ValueID {
        let facts = try packing.input(index)
        guard packing.known.constant(index) != nil || (facts.timeAxes.isEmpty && facts.uniform != nil) else {
            throw NoRule("the body reads what each sequence has of its own")
        }
        return try packing.sequenceValue(index)
    }
}
