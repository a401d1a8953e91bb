import TensorCore

/// Split: parts of an axis; sizes are an attribute before opset 13, an input since, or equal ones.
struct Split: Operator, TakingAllTypes {
    let axis: Int
    let sizes: [Int]?
    private let partCount: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        let hasAttribute = reader.opset < 13
        try reader.expectInputs(hasAttribute ? 1...1 : 1...2)
        axis = try reader.int("axis", default: 0)
        sizes = hasAttribute ? try reader.ints("split") : nil
        let outputs = reader.writtenOutputCount
        partCount = reader.opset >= 18 ? try reader.int("num_outputs") ?? outputs : outputs
        guard partCount >= 1, partCount <= max(outputs, 1) else { throw .attributeValue("num_outputs") }
    }

    private init(axis: Int, sizes: [Int]) {
        self.axis = axis
        self.sizes = sizes
        partCount = sizes.count
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let axis = try x.shape.axis(axis)
        let length = x.shape[axis]
        let sizes = try inputs.integers(1, unless: sizes) ?? equalSizes(length)
        var start = 0
        var view = StridedView(x.shape)
        var parts: [Tensor] = []
        for size in sizes {
            guard size >= 0, size <= length - start else { throw .inputValue(input: 1) }
            if axis == 0 {
                parts.append(x.slice(start..<start + size))
            } else {
                view = StridedView(x.shape)
                view.take(axis: axis, start: start, step: 1, count: size)
                parts.append(try x.gathered(view, axis: axis, length: size, inputs))
            }
            start += size
        }
        guard start == length else { throw .inputValue(input: 1) }
        return .many(parts)
    }

    /// Parts as equal as can be, the last one smaller.
    func equalSizes(_ length: Int) -> [Int] {
        let size = (length + partCount - 1) / partCount
        return (0..<partCount).map { max(0, min(size, length - $0 * size)) }
    }
}

extension Split: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        let axis = try NodeFacts.axis(axis, rank: x.rank)
        var facts: [ValueFacts] = []
        for size in try partSizes(inputs) {
            var extents = x.extents
            extents[axis] = .integer(size)
            facts.append(try inputs.made(x.elementType, extents))
        }
        return facts
    }

    private func partSizes(_ inputs: NodeFacts) throws(NoRule) -> [Int] {
        let x = try inputs[0]
        guard let length = x.constant(try NodeFacts.axis(axis, rank: x.rank)) else {
            throw NoRule("time is split")
        }
        let sizes = try inputs.integers(1, unless: sizes) ?? equalSizes(length)
        guard sizes.reduce(0, { $0 &+ $1 }) == length, sizes.allSatisfy({ $0 > 0 && $0 <= length }) else {
            throw NoRule("the sizes do not add up")
        }
        return sizes
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let x = try packing.input(0)
        let axis = try NodeFacts.axis(axis, rank: x.rank)
        let place = try NodePacking.place(of: axis, in: x)
        let sizes = try partSizes(packing.known)
        let parts = packing.emit(
            Split(axis: place, sizes: sizes),
            [try packing.rows(0)],
            outputs: sizes.count
        )
        var results: [PlanGraph.ValueID] = []
        for (part, size) in zip(parts, sizes) {
            var features = x.features
            features[place - 1] = size
            results += try packing.finished(part, features: features)
        }
        return results
    }
}

extension Tensor {
    /// A copy of the elements a view names, which differs from the tensor's shape in one axis.
    func gathered(
        _ view: StridedView,
        axis: Int,
        length: Int,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let shape = try shaped { () throws(ShapeError) in try self.shape.replacing(axis: axis, by: length) }
        var result = try inputs.makeTensor(elementType, shape)
        let bytes = elementType.byteCount
        withRawPointer { source in
            result.withMutableRawPointer { target in view.copy(source, to: target, elementBytes: bytes) }
        }
        return result
    }
}
