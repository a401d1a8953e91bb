import ONNXGraph

extension AxisRules {
    /// Gather: positions picked by the step of a loop are a ``TimeSlice``.
    func gather(_ data: AxisFacts) -> AxisFacts? {
        guard inputs.count == 2, let indices = inputs[1],
            let axis = place(node.int("axis") ?? 0, in: data.axes.count)
        else { return nil }
        let picked = data.axes[axis]
        let isSingle = indices.axes.allSatisfy { $0 == .other(1) }
        var rows = indices.axes
        if picked.isOfSequences && !isSingle { rows = rows.map { _ in .mixed } }
        var numbers: [SequenceAxis]?
        if data.axes.count == 1, indices.axes.count < 2, let known = data.numbers, let chosen = integers(1) {
            let places = chosen.compactMap { place($0, in: known.count) }
            if places.count == chosen.count { numbers = places.map { known[$0] } }
        }
        var facts = made(Array(data.axes[..<axis]) + rows + data.axes[(axis + 1)...], numbers: numbers)
        if picked == .time, isSingle, let loop = stack.last(where: indices.loops.contains) {
            let source = TimeSlice.Source.pick(
                index: node.inputs[1],
                graph: graph,
                isStep: indices.iteration == loop
            )
            facts.slices.insert(TimeSlice(loop: loop, source: source, loops: indices.loops))
        }
        return facts
    }

    /// Slice: the axes that are cut are mixed if they are of sequences.
    func slice(_ data: AxisFacts) -> AxisFacts? {
        let rank = data.axes.count
        let starts = node.ints("starts") ?? integers(1)
        let ends = node.ints("ends") ?? integers(2)
        let listed = node.ints("axes") ?? (has(3) ? integers(3) : (0..<(starts?.count ?? rank)).map { $0 })
        guard let listed else { return nil }
        let places = listed.compactMap { place($0, in: rank) }
        guard places.count == listed.count else { return nil }
        let steps = has(4) ? integers(4) : [Int](repeating: 1, count: places.count)
        var axes = data.axes
        var numbers: [SequenceAxis]?
        for (index, axis) in places.enumerated() {
            let (start, end, step) = (starts?.at(index), ends?.at(index), steps?.at(index))
            let isWhole = start == 0 && step == 1 && (end ?? 0) >= Int(Int32.max)
            if isWhole { continue }
            axes[axis] = axes[axis].isOfSequences ? .mixed : .other(nil)
            guard rank == 1, let known = data.numbers, step == 1, let start, let end else { continue }
            let low = min(max(start < 0 ? start + known.count : start, 0), known.count)
            let high = min(max(end < 0 ? end + known.count : end, low), known.count)
            numbers = Array(known[low..<high])
            axes[axis] = .other(high - low)
        }
        if axes == data.axes { numbers = data.numbers }
        return made(axes, numbers: numbers)
    }

    func concatenation() -> AxisFacts? {
        let parts = inputs.compactMap(\.self)
        guard let first = parts.first, parts.allSatisfy({ $0.axes.count == first.axes.count }),
            let axis = place(node.int("axis") ?? 0, in: first.axes.count)
        else { return nil }
        var axes = parts.dropFirst().reduce(first.axes) { axes, part in
            zip(axes, part.axes).map { $0.joined(with: $1) }
        }
        let joined = parts.map { $0.axes[axis] }
        if parts.count > 1 {
            let lengths = joined.compactMap(\.length)
            let total = lengths.reduce(0) { $0.addingReportingOverflow($1).partialValue }
            axes[axis] =
                joined.contains(where: \.isOfSequences)
                ? .mixed : .other(lengths.count == joined.count ? total : nil)
        }
        let numbers = parts.compactMap(\.numbers)
        let isShape = first.axes.count == 1 && numbers.count == parts.count
        return made(axes, numbers: isShape ? numbers.flatMap(\.self) : nil)
    }

    func split(_ data: AxisFacts) -> [AxisFacts?] {
        guard let axis = place(node.int("axis") ?? 0, in: data.axes.count) else { return [] }
        var axes = data.axes
        axes[axis] = axes[axis].isOfSequences ? .mixed : .other(nil)
        return node.outputs.indices.map { _ in made(axes) }
    }

    func reduction(of data: AxisFacts) -> AxisFacts? {
        let keeps = (node.int("keepdims") ?? 1) != 0
        let rank = data.axes.count
        var places: [Int]
        if node.operatorType.hasPrefix("Arg") {
            guard let axis = place(node.int("axis") ?? 0, in: rank) else { return nil }
            places = [axis]
        } else {
            guard let listed = listedAxes(rank: rank) else { return nil }
            places = listed ?? []
            if places.isEmpty, node.int("noop_with_empty_axes") ?? 0 == 0 { places = Array(0..<rank) }
        }
        let axes = data.axes.indices.compactMap { index -> SequenceAxis? in
            guard places.contains(index) else { return data.axes[index] }
            return keeps ? .other(1) : nil
        }
        return made(axes)
    }
}

extension [Int] {
    fileprivate func at(_ index: Int) -> Int? { indices.contains(index) ? self[index] : nil }
}
