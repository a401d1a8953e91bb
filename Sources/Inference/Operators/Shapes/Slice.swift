import TensorCore

/// Slice: parts of some axes with a step, which may be negative; attributes before opset 10, inputs since.
struct Slice: Operator, TakingAllTypes {
    private struct Bounds {
        let starts: [Int]
        let ends: [Int]
        let axes: [Int]?
    }

    private let attributes: Bounds?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        guard reader.opset < 10 else {
            try reader.expectInputs(3...5)
            attributes = nil
            return
        }
        try reader.expectInputs(1...1)
        guard let starts = try reader.ints("starts") else { throw .missingAttribute("starts") }
        guard let ends = try reader.ints("ends") else { throw .missingAttribute("ends") }
        attributes = Bounds(starts: starts, ends: ends, axes: try reader.ints("axes"))
    }

    private init() { attributes = nil }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let bounds: Bounds
        if let attributes {
            bounds = attributes
        } else {
            bounds = Bounds(
                starts: try inputs[1].integers(input: 1),
                ends: try inputs[2].integers(input: 2),
                axes: try inputs.integers(3)
            )
        }
        let steps = try attributes == nil ? inputs.integers(4) : nil
        let count = bounds.starts.count
        guard count == bounds.ends.count else { throw .inputValue(input: 2) }
        let named = bounds.axes ?? Array(0..<count)
        guard named.count == count, count <= x.shape.rank else { throw .inputValue(input: 3) }
        guard steps.map({ $0.count == count }) ?? true else { throw .inputValue(input: 4) }
        _ = try x.shape.axes(named)
        var view = StridedView(x.shape)
        var dimensions = x.shape.dimensions
        for index in 0..<count {
            let axis = try x.shape.axis(named[index])
            let step = steps.map { $0[index] } ?? 1
            guard step != 0, step != .min else { throw .inputValue(input: 4) }
            let (start, length) = Self.extent(
                bounds.starts[index],
                bounds.ends[index],
                step: step,
                length: x.shape[axis]
            )
            view.take(axis: axis, start: start, step: step, count: length)
            dimensions[axis] = length
        }
        var result = try inputs.makeTensor(x.elementType, Shape.checked(dimensions))
        let bytes = x.elementType.byteCount
        x.withRawPointer { source in
            result.withMutableRawPointer { target in view.copy(source, to: target, elementBytes: bytes) }
        }
        return .one(result)
    }

    /// The first element and the number of elements: going forward both bounds are clamped to `0 ... length`, going
    /// back the start to `0 ... length - 1` and the end to `-1 ... length - 1`.
    private static func extent(_ start: Int, _ end: Int, step: Int, length: Int) -> (start: Int, count: Int) {
        guard length > 0 else { return (0, 0) }
        func clamp(_ bound: Int, _ range: ClosedRange<Int>) -> Int {
            let position = bound < 0 ? (bound < -length ? -1 : bound + length) : bound
            return min(max(position, range.lowerBound), range.upperBound)
        }
        let first = clamp(start, 0...(step > 0 ? length : length - 1))
        let last = clamp(end, step > 0 ? 0...length : -1...(length - 1))
        let span = step > 0 ? last - first : first - last
        guard span > 0 else { return (0, 0) }
        return (first, (span - 1) / Int(clamping: step.magnitude) + 1)
    }
}

extension Slice: RaggedOperator {
    /// What is taken of one axis; `start` may be negative to count from the end.
    private struct Part {
        let axis: Int
        let start: Int
        let end: Int
        let step: Int
        /// Up to which number of the axis, where that depends on the sequence's length.
        var limit: LengthFunction?
    }

    private func parts(_ inputs: NodeFacts) throws(NoRule) -> [Part] {
        let x = try inputs[0]
        let starts: [Int]
        var ends: [Number]
        var named: [Int]?
        var steps: [Int]?
        if let attributes {
            (starts, ends, named) = (attributes.starts, attributes.ends.map { .integer($0) }, attributes.axes)
        } else {
            guard let first = try inputs.integers(1, unless: nil), let last = try inputs[2].numbers else {
                throw NoRule("the bounds are unknown")
            }
            (starts, ends) = (first, last)
            named = try inputs.integers(3, unless: nil)
            steps = try inputs.integers(4, unless: nil)
        }
        let axes = try (named ?? Array(starts.indices)).map { (axis) throws(NoRule) in
            try NodeFacts.axis(axis, rank: x.rank)
        }
        guard ends.count == starts.count, axes.count == starts.count, Set(axes).count == axes.count,
            steps?.count ?? starts.count == starts.count
        else { throw NoRule("the bounds differ in number") }
        var parts: [Part] = []
        for index in starts.indices {
            let axis = axes[index]
            // Up to the length of the axis is up to its end.
            if ends[index] == x.extents[axis] { ends[index] = .integer(.max) }
            let step = steps?[index] ?? 1
            guard step != 0, step != .min else { throw NoRule("a step of 0") }
            if case .length(let limit) = ends[index] {
                guard step == 1, starts[index] == 0, case .integer = x.extents[axis] else {
                    throw NoRule("an end depends on the length")
                }
                parts.append(Part(axis: axis, start: 0, end: .max, step: 1, limit: limit))
                continue
            }
            guard case .integer(let end) = ends[index] else { throw NoRule("an end depends on the length") }
            parts.append(Part(axis: axis, start: starts[index], end: end, step: step))
        }
        return parts
    }

    /// How many positions of an axis of time are left out at both ends.
    private func cut(_ part: Part) throws(NoRule) -> (begin: Int, end: Int) {
        let limit = 1 << 31
        guard part.step == 1, (0..<limit).contains(part.start),
            part.end >= limit || (-limit..<0).contains(part.end)
        else { throw NoRule("a part of time that is not all but its ends") }
        return (part.start, part.end < 0 ? -part.end : 0)
    }

    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        var extents = x.extents
        var numbers = x.numbers
        for part in try parts(inputs) {
            switch x.extents[part.axis] {
            case .integer(let length):
                if let limit = part.limit {
                    extents[part.axis] = .length(limit.bounded(by: length))
                    numbers = nil
                    continue
                }
                let (start, count) = Self.extent(part.start, part.end, step: part.step, length: length)
                extents[part.axis] = .integer(count)
                numbers = numbers.map { all in (0..<count).map { all[start + $0 * part.step] } }
            case .length(let function):
                let cut = try cut(part)
                guard let left = function.adding(-cut.begin - cut.end) else {
                    throw NoRule("the length is unknown")
                }
                extents[part.axis] = .length(left)
            }
        }
        let isList = x.rank == 1 && numbers != nil
        return [try inputs.made(x.elementType, extents, isList ? .numbers(numbers ?? []) : .unknown)]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let x = try packing.input(0)
        let parts = try self.parts(packing.known)
        if parts.contains(where: { $0.limit != nil }) { return [try firstRows(parts, packing)] }
        var rows = try packing.rows(0)
        var features = x.features
        for part in parts {
            if part.axis == x.timeAxis, let time = x.time, let left = packing.outputs[0].time {
                let cut = try cut(part)
                if cut.begin == 0 && cut.end == 0 { continue }
                rows = packing.emit(
                    SegmentWindow(begin: -cut.begin, end: -cut.end),
                    [rows, packing.offsets(time), packing.offsets(left)]
                )
                continue
            }
            guard let length = x.constant(part.axis), length != 1 else { continue }
            let place = try NodePacking.place(of: part.axis, in: x)
            let (_, count) = Self.extent(part.start, part.end, step: part.step, length: length)
            if count == length && part.step == 1 { continue }
            let bounds = [part.start, part.end, place, part.step].map { Int64($0) }
            var operands: [PlanGraph.ValueID?] = [rows]
            for bound in bounds {
                guard let tensor = try? Tensor([bound], shape: [1]) else { throw NoRule("a bound") }
                operands.append(packing.constant(tensor))
            }
            rows = packing.emit(Slice(), operands)
            features[place - 1] = count
        }
        return try packing.finished(rows, features: features)
    }

    /// The first rows of a constant table, as many as each sequence is long.
    private func firstRows(_ parts: [Part], _ packing: NodePacking) throws(NoRule) -> PlanGraph.ValueID {
        let result = packing.outputs[0]
        guard let table = packing.known.constant(0), let time = result.time, parts.count == 1,
            table.shape.dimensions[..<parts[0].axis].allSatisfy({ $0 == 1 })
        else { throw NoRule("an end depends on the length") }
        let rows = table.shape[parts[0].axis]
        guard let shape = try? Shape(checking: [rows] + result.features),
            let view = try? table.reshaped(to: shape)
        else { throw NoRule("a table of \(table.shape)") }
        let positions = packing.emit(Positions(), [packing.offsets(time)])
        return packing.emit(GatherOperator(axis: 0), [packing.constant(view), positions])
    }
}
