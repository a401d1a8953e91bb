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
}
