import ONNXGraph

extension AxisAnalysis {
    /// Follows a Scan or a Loop; what is known of its outputs.
    mutating func turn(
        _ node: Node,
        at path: NodePath,
        _ inputs: [AxisFacts?],
        _ known: KnownAxes,
        _ stack: [NodePath]
    ) -> [AxisFacts?] {
        guard let body = node.subgraphs.first?.graph, stack.count < Self.deepestLoop else {
            giveUp(on: path)
            return []
        }
        return node.isLoop
            ? loop(node, body, at: path, inputs, known, stack)
            : scan(node, body, at: path, inputs, known, stack)
    }

    private mutating func scan(
        _ node: Node,
        _ body: Graph,
        at path: NodePath,
        _ inputs: [AxisFacts?],
        _ known: KnownAxes,
        _ stack: [NodePath]
    ) -> [AxisFacts?] {
        let states = inputs.count - node.scanInputCount
        let axes = node.ints("scan_input_axes") ?? []
        let directions = node.ints("scan_input_directions") ?? []
        var steps = SequenceAxis.other(nil)
        var parts: [AxisFacts?] = []
        for (index, facts) in inputs.dropFirst(states).enumerated() {
            guard let (part, axis) = facts?.part(alongAxis: axes.indices.contains(index) ? axes[index] : 0)
            else {
                giveUp(on: path)
                steps = .mixed
                parts.append(nil)
                continue
            }
            var step = part.entering(path)
            if axis == .mixed { giveUp(on: path) }
            if axis == .time {
                let isBackward = directions.indices.contains(index) && directions[index] == 1
                let slice = TimeSlice(loop: path, source: .scan(isBackward: isBackward), loops: [path])
                step.slices.insert(slice)
                add(slice, to: path)
            }
            steps = steps.joined(with: axis)
            parts.append(step)
        }
        let first = inputs.prefix(states).map { $0?.entering(path) }
        let outputs = repeated(body, at: path, first, parts, known, stack)
        let outputAxes = node.ints("scan_output_axes") ?? []
        let outputDirections = node.ints("scan_output_directions") ?? []
        return outputs.enumerated().map { index, facts in
            guard let facts else { return nil }
            guard index >= states else { return facts.leaving(path) }
            let stream = index - states
            let isBackward = outputDirections.indices.contains(stream) && outputDirections[stream] == 1
            let isInOrder = slices(of: facts, in: path).map(\.source) == [.scan(isBackward: isBackward)]
            return facts.leaving(path).stacked(
                steps == .time && !isInOrder ? .mixed : steps,
                onAxis: outputAxes.indices.contains(stream) ? outputAxes[stream] : 0
            )
        }
    }

    private mutating func loop(
        _ node: Node,
        _ body: Graph,
        at path: NodePath,
        _ inputs: [AxisFacts?],
        _ known: KnownAxes,
        _ stack: [NodePath]
    ) -> [AxisFacts?] {
        let trip = inputs.first.flatMap { $0 }?.numbers
        if trip == [.time] { runsForTime(path) }
        let first = inputs.dropFirst(2).map { $0?.entering(path) }
        let outputs = repeated(
            body,
            at: path,
            before: [
                AxisFacts(axes: [], loops: [path], iteration: path), AxisFacts(axes: [], loops: [path]),
            ],
            first,
            [],
            known,
            stack
        )
        let runsAll = trip == [.time] && !body.mayEndLoopEarly
        let facts = loops[path] ?? Loop()
        let isElsewhere = facts.slices.isEmpty && !facts.isUnclear && !facts.runsForTime
        return outputs.enumerated().map { index, value in
            guard let value else { return nil }
            guard index >= first.count else { return value.leaving(path) }
            let slices = slices(of: value, in: path)
            let isInOrder = runsAll && slices.count == 1 && slices.allSatisfy(\.isPickedByStep)
            let steps: SequenceAxis =
                isInOrder ? .time : isElsewhere ? .other(trip?.first?.length) : .mixed
            return value.leaving(path).stacked(steps, onAxis: 0)
        }
    }

    /// The positions that a value in a loop is of: its own, else those that all of the loop works on.
    func slices(of value: AxisFacts, in loop: NodePath) -> Set<TimeSlice> {
        let own = value.slices.filter { $0.loop == loop }
        return own.isEmpty ? loops[loop]?.slices ?? [] : own
    }
}

extension AxisFacts {
    /// What is known of a value that a loop takes in.
    fileprivate func entering(_ loop: NodePath) -> AxisFacts {
        var facts = self
        facts.loops.insert(loop)
        facts.iteration = nil
        return facts
    }

    /// What is known of one element on an axis, and what the axis runs over; nil if there is no such axis.
    fileprivate func part(alongAxis axis: Int) -> (AxisFacts, SequenceAxis)? {
        let place = axis < 0 ? axis + axes.count : axis
        guard axes.indices.contains(place) else { return nil }
        var part = self
        part.numbers = nil
        let removed = part.axes.remove(at: place)
        return (part, removed)
    }

    /// What is known of values of many steps together; nil if they cannot have the axis.
    fileprivate func stacked(_ steps: SequenceAxis, onAxis axis: Int) -> AxisFacts? {
        let place = axis < 0 ? axis + axes.count + 1 : axis
        guard (0...axes.count).contains(place) else { return nil }
        var whole = self
        whole.numbers = nil
        whole.axes.insert(steps, at: place)
        return whole
    }
}

extension Graph {
    /// Whether the body of a Loop may make anything but its condition, as it came in, the next one.
    fileprivate var mayEndLoopEarly: Bool {
        guard inputs.count > 1, var name = outputs.first?.name else { return true }
        let nodes = nodes
        let longestWay = 8
        for _ in 0..<longestWay where name != inputs[1].name {
            guard let maker = nodes.first(where: { $0.outputs.contains(name) }) else { break }
            if let constant = maker.constant { return (try? constant.tensor())?.onlyNumber != 1 }
            guard maker.keepsElements || maker.operatorType == "Cast", let input = maker.inputs.first else {
                return true
            }
            name = input
        }
        guard name != inputs[1].name else { return false }
        guard let constant = initializers.first(where: { $0.name == name }) else { return true }
        return (try? constant.tensor())?.onlyNumber != 1
    }
}
