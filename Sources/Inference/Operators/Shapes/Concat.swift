import TensorCore

/// Concat: the inputs one after the other along an axis.
struct Concat: Operator, TakingAllTypes {
    let axis: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...Int(Int32.max))
        guard let axis = try reader.int("axis") else { throw .missingAttribute("axis") }
        self.axis = axis
    }

    private init(axis: Int) { self.axis = axis }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var parts: [Tensor] = []
        for index in 0..<inputs.count { parts.append(try inputs[index]) }
        return .one(try Self.join(parts, axis: parts[0].shape.axis(axis), inputs))
    }

    /// The parts one after the other along an axis in `0 ..< rank`; at least one part.
    static func join(_ parts: [Tensor], axis: Int, _ inputs: NodeInputs) throws(OperatorError) -> Tensor {
        let first = parts[0]
        var length = 0
        for part in parts {
            guard part.elementType == first.elementType else {
                throw .elementTypesDiffer(first.elementType, part.elementType)
            }
            guard part.shape.rank == first.shape.rank else {
                throw .shape(.rankMismatch(expected: first.shape.rank, actual: part.shape.rank))
            }
            for other in 0..<first.shape.rank where other != axis && part.shape[other] != first.shape[other] {
                throw .shape(
                    .dimensionMismatch(axis: other, expected: first.shape[other], actual: part.shape[other])
                )
            }
            length += part.shape[axis]
        }
        if parts.count == 1 { return first }
        let total = length
        let shape = try shaped { () throws(ShapeError) in try first.shape.replacing(axis: axis, by: total) }
        var result = try inputs.makeTensor(first.elementType, shape)
        let outer = shape.elementCount(of: 0..<axis)
        let unit = shape.elementCount(of: (axis + 1)..<shape.rank) * first.elementType.byteCount
        result.withMutableRawPointer { target in
            var position = 0
            for part in parts {
                let bytes = part.shape[axis] * unit
                part.withRawPointer { source in
                    for block in 0..<outer where bytes > 0 {
                        (target + block * total * unit + position)
                            .copyMemory(from: source + block * bytes, byteCount: bytes)
                    }
                }
                position += bytes
            }
        }
        return result
    }
}

extension Concat: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let first = try inputs[0]
        let axis = try NodeFacts.axis(axis, rank: first.rank)
        var extents = first.extents
        var numbers = first.numbers
        for index in 1..<max(inputs.count, 1) {
            let next = try inputs[index]
            guard next.rank == first.rank, next.elementType == first.elementType,
                extents.indices.allSatisfy({ $0 == axis || extents[$0] == next.extents[$0] }),
                let sum = Number.sum(extents[axis], next.extents[axis])
            else { throw NoRule("the parts' lengths differ") }
            extents[axis] = sum
            numbers = if let left = numbers, let right = next.numbers { left + right } else { nil }
        }
        let isList = first.rank == 1 && numbers?.count ?? .max <= ValueFacts.maximumNumbers
        return [try inputs.made(first.elementType, extents, isList ? .numbers(numbers ?? []) : .unknown)]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let result = packing.outputs[0]
        let axis = try NodeFacts.axis(axis, rank: result.rank)
        if let time = result.time, axis == result.timeAxis {
            return [try overTime(packing, axis: axis, result: result, time)]
        }
        let place = try NodePacking.place(of: axis, in: result)
        var parts: [PlanGraph.ValueID?] = []
        for index in 0..<packing.known.count {
            guard let part = try packing.operand(index, alignedTo: result), part.varies else {
                throw NoRule("a part is constant")
            }
            parts.append(part.id)
        }
        return [packing.emit(Concat(axis: place), parts)]
    }

    /// The positions of the parts one after the other, sequence by sequence.
    private func overTime(
        _ packing: NodePacking,
        axis: Int,
        result: ValueFacts,
        _ time: LengthFunction
    ) throws(NoRule) -> PlanGraph.ValueID {
        guard let features = try? Shape(checking: result.features) else { throw NoRule("too many features") }
        var parts: [PlanGraph.ValueID?] = []
        var offsets: [PlanGraph.ValueID?] = [packing.offsets(time)]
        var sources: [SegmentConcat.Source] = []
        for index in 0..<packing.known.count {
            let x = try packing.input(index)
            if let own = x.time {
                guard packing.known.constant(index) == nil, x.uniform == nil else {
                    throw NoRule("a part is the same everywhere")
                }
                parts.append(try packing.rows(index))
                sources.append(.segments(offsets: offsets.count))
                offsets.append(packing.offsets(own))
                continue
            }
            guard let count = x.constant(axis) else { throw NoRule("a part's length is unknown") }
            let order = [axis] + (0..<x.rank).filter { $0 != axis }
            if let constant = packing.known.constant(index) {
                guard
                    let moved = ConstantFolding.evaluate(
                        TransposeOperator(permutation: order),
                        [constant],
                        outputs: 1,
                        .standard
                    )?.first
                else { throw NoRule("a part is large") }
                parts.append(packing.constant(moved))
                sources.append(.constant(count: count))
            } else {
                var rows = try packing.rows(index)
                let places = order.compactMap { axis in x.featureAxes.firstIndex(of: axis) }
                if places != Array(places.indices) {
                    rows = packing.emit(
                        TransposeOperator(permutation: [0] + places.map { $0 + 1 }),
                        [rows]
                    )
                }
                parts.append(rows)
                sources.append(.sequence(count: count))
            }
        }
        return packing.emit(SegmentConcat(sources: sources, features: features), parts + offsets)
    }
}

/// Parts of every sequence one after the other along its positions.
///
/// Inputs: the parts, the offsets of the sequences in the result, then those in each part that has its own.
private struct SegmentConcat: Operator {
    enum Source: Sendable {
        /// Rows of each sequence; their offsets are the input of this number behind the parts.
        case segments(offsets: Int)
        /// As many rows for each sequence, `[B, ...]`.
        case sequence(count: Int)
        /// The same rows for all.
        case constant(count: Int)
    }

    let sources: [Source]
    /// The shape of a row.
    let features: Shape

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let to = try Segments(inputs[sources.count])
        let type = try inputs[0].elementType
        let shape = try shaped { () throws(ShapeError) in try features.inserting(to.rowCount, at: 0) }
        var y = try inputs.makeTensor(type, shape)
        let bytes = features.elementCount * type.byteCount
        // Where the next rows of each sequence go.
        var places = (0..<to.count).map { to[$0].lowerBound }
        for (index, source) in sources.enumerated() {
            let part = try inputs[index]
            guard part.elementType == type else { throw .elementTypesDiffer(type, part.elementType) }
            let rows: [Range<Int>]
            switch source {
            case .segments(let number):
                let from = try Segments(inputs[sources.count + number])
                guard from.count == to.count else { throw .inputValue(input: index) }
                rows = (0..<to.count).map { from[$0] }
            case .sequence(let count): rows = (0..<to.count).map { $0 * count..<($0 + 1) * count }
            case .constant(let count): rows = [Range<Int>](repeating: 0..<count, count: to.count)
            }
            guard part.byteCount == (rows.map(\.upperBound).max() ?? 0) * bytes else {
                throw .inputValue(input: index)
            }
            for (sequence, range) in rows.enumerated() {
                guard places[sequence] + range.count <= to[sequence].upperBound else {
                    throw .inputValue(input: index)
                }
                part.withRawPointer { source in
                    y.withMutableRawPointer { target in
                        (target + places[sequence] * bytes).copyMemory(
                            from: source + range.lowerBound * bytes,
                            byteCount: range.count * bytes
                        )
                    }
                }
                places[sequence] += range.count
            }
        }
        guard (0..<to.count).allSatisfy({ places[$0] == to[$0].upperBound }) else {
            throw .inputValue(input: 0)
        }
        return .one(y)
    }
}
