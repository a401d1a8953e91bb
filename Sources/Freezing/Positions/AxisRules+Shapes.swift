import ONNXGraph

extension AxisRules {
    /// Operators that make shapes, or values by shapes.
    func shaping(_ first: AxisFacts) -> AxisFacts? {
        switch node.operatorType {
        case "Shape":
            let rank = first.axes.count
            let start = clamped(node.int("start") ?? 0, rank)
            let end = clamped(node.int("end") ?? rank, rank)
            let axes = Array(first.axes[min(start, end)..<end])
            return constantLike([.other(axes.count)], axes, first)
        case "Size": return constantLike([], first.axes.count == 1 ? first.axes : nil, first)
        case "Flatten":
            guard let axis = place(node.int("axis") ?? 1, in: first.axes.count + 1) else { return nil }
            return made([Self.merged(first.axes[..<axis]), Self.merged(first.axes[axis...])])
        case "Squeeze": return squeezed(first)
        case "Unsqueeze": return unsqueezed(first)
        case "Expand":
            guard let target = inputs.last.flatMap({ $0 })?.numbers else { return nil }
            return made(first.axes.broadcast(with: target))
        case "ConstantOfShape": return first.numbers.map { made($0) }
        case "Range":
            guard inputs.count == 3, first.axes.isEmpty else { return nil }
            let isCount = integers(0) == [0] && integers(2) == [1]
            return made([isCount ? inputs[1]?.numbers?.first ?? .mixed : .mixed])
        default:
            guard inputs.count == 2, let target = inputs[1]?.numbers else { return nil }
            let copiesZeros = (node.int("allowzero") ?? 0) == 0
            guard let axes = Reshaping.axes(first.axes, to: target, copiesZeros: copiesZeros) else {
                return nil
            }
            return kept(first, axes)
        }
    }

    private func clamped(_ axis: Int, _ rank: Int) -> Int { min(max(axis < 0 ? axis + rank : axis, 0), rank) }

    /// A shape, which is the same whatever positions the value is of.
    private func constantLike(
        _ axes: [SequenceAxis],
        _ numbers: [SequenceAxis]?,
        _ first: AxisFacts
    ) -> AxisFacts {
        AxisFacts(axes: axes, numbers: numbers, loops: first.loops)
    }

    /// The same elements with other axes.
    private func kept(_ first: AxisFacts, _ axes: [SequenceAxis]) -> AxisFacts {
        var facts = made(axes, numbers: axes.count < 2 ? first.numbers : nil)
        facts.iteration = first.iteration
        return facts
    }

    /// Axes that become one.
    static func merged(_ axes: ArraySlice<SequenceAxis>) -> SequenceAxis {
        let wide = axes.filter { $0 != .other(1) }
        if wide.count == 1 { return wide[wide.startIndex] }
        guard !wide.contains(where: \.isOfSequences) else { return .mixed }
        return .other(Reshaping.product(Array(wide)))
    }

    private func squeezed(_ first: AxisFacts) -> AxisFacts? {
        guard let listed = listedAxes(rank: first.axes.count) else { return nil }
        guard let places = listed else {
            guard first.axes.allSatisfy({ $0.length != nil }) else { return nil }
            return kept(first, first.axes.filter { $0 != .other(1) })
        }
        guard places.allSatisfy({ !first.axes[$0].isOfSequences }) else { return nil }
        return kept(first, first.axes.indices.filter { !places.contains($0) }.map { first.axes[$0] })
    }

    private func unsqueezed(_ first: AxisFacts) -> AxisFacts? {
        let count = node.ints("axes")?.count ?? integers(1)?.count ?? 0
        guard count > 0, let listed = listedAxes(rank: first.axes.count + count), let places = listed else {
            return nil
        }
        var axes = first.axes
        for place in places.sorted() {
            guard place <= axes.count else { return nil }
            axes.insert(.other(1), at: place)
        }
        return kept(first, axes)
    }
}

/// Follows axes through a change of shape that keeps the order of the elements.
enum Reshaping {
    /// The axes after a Reshape.
    ///
    /// Axes that stay, at the front and at the back, are what they were. Of those between, a single axis of sequences goes on only
    /// where the others before and after it have one product; else what is made of it is mixed.
    ///
    /// - Parameters:
    ///   - axes: The axes before.
    ///   - target: The lengths after; -1 is what is left.
    ///   - copiesZeros: Whether a length 0 is that of the axis before in the same place.
    /// - Returns: The axes; nil if there can be no such shape.
    static func axes(_ axes: [SequenceAxis], to target: [SequenceAxis], copiesZeros: Bool) -> [SequenceAxis]?
    {
        var target = target
        for index in target.indices where copiesZeros && target[index] == .other(0) {
            guard axes.indices.contains(index) else { return nil }
            target[index] = axes[index]
        }
        func isSame(_ a: SequenceAxis, _ b: SequenceAxis) -> Bool {
            a == b && a != .mixed && a != .other(nil) && a != .other(-1)
        }
        var front = 0
        while front < min(axes.count, target.count), isSame(axes[front], target[front]) { front += 1 }
        var back = 0
        while back < min(axes.count, target.count) - front,
            isSame(axes[axes.count - 1 - back], target[target.count - 1 - back])
        { back += 1 }
        let before = axes[front..<(axes.count - back)].filter { $0 != .other(1) }
        let middle = Array(target[front..<(target.count - back)])
        let open = middle.indices.filter { middle[$0] != .other(1) }
        var after = middle.map { $0 == .other(1) ? $0 : SequenceAxis.mixed }
        if before.count == 1, open.count == 1 {
            after[open[0]] = before[0]
        } else if !before.contains(where: \.isOfSequences) {
            for index in open { after[index] = middle[index] == .other(-1) ? .other(nil) : middle[index] }
        } else if let first = before.first, let start = open.first, first.isOfSequences, first != .mixed,
            middle[start] == .other(-1) || middle[start] == first,
            let rest = product(Array(before.dropFirst())),
            rest == product(open.dropFirst().map { middle[$0] })
        {
            after[start] = first
            for index in open.dropFirst() { after[index] = middle[index] }
        }
        return target[..<front] + after + target[(target.count - back)...]
    }

    /// The product of lengths; nil if one is not known.
    static func product(_ axes: [SequenceAxis]) -> Int? {
        var product = 1
        for axis in axes {
            guard let length = axis.length, length >= 0 else { return nil }
            let (next, overflow) = product.multipliedReportingOverflow(by: length)
            guard !overflow else { return nil }
            product = next
        }
        return product
    }
}
