import TensorCore

/// SplitToSequence: parts of an axis as a sequence: of the sizes given, of one size, or of length 1 each.
struct SplitToSequence: Operator, TakingAllTypes {
    private let axis: Int
    private let keepsAxis: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...2)
        axis = try reader.int("axis", default: 0)
        keepsAxis = try reader.flag("keepdims", default: true)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let axis = try x.shape.axis(axis)
        let length = x.shape[axis]
        let dropsAxis = inputs.optional(1) == nil && !keepsAxis
        var parts: [Tensor] = []
        var start = 0
        for size in try sizes(inputs, length: length) {
            let part = try x.part(from: start, count: size, axis: axis, inputs)
            parts.append(dropsAxis ? try part.viewed(as: part.shape.removing(axis: axis)) : part)
            start += size
        }
        return .values([.sequence(parts)])
    }

    /// Sizes that add up to the length.
    private func sizes(_ inputs: NodeInputs, length: Int) throws(OperatorError) -> [Int] {
        guard let split = inputs.optional(1) else { return try equalSizes(1, length) }
        let values = try split.integers(input: 1)
        if split.shape.rank == 0 { return try equalSizes(values[0], length) }
        var rest = length
        for size in values {
            guard size >= 0, size <= rest else { throw .inputValue(input: 1) }
            rest -= size
        }
        guard rest == 0, values.count <= NodeInputs.maximumSequenceCount else { throw .inputValue(input: 1) }
        return values
    }

    /// Parts of one size, the last one smaller if need be.
    private func equalSizes(_ size: Int, _ length: Int) throws(OperatorError) -> [Int] {
        guard size > 0 else { throw .inputValue(input: 1) }
        let count = length / size + (length % size == 0 ? 0 : 1)
        guard count <= NodeInputs.maximumSequenceCount else {
            throw .sequenceTooLong(limit: NodeInputs.maximumSequenceCount)
        }
        return (0..<count).map { min(size, length - $0 * size) }
    }
}

extension Tensor {
    /// A range of an axis, which must be within it.
    func part(
        from start: Int,
        count: Int,
        axis: Int,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        if axis == 0 { return slice(start..<start + count) }
        var view = StridedView(shape)
        view.take(axis: axis, start: start, step: 1, count: count)
        return try gathered(view, axis: axis, length: count, inputs)
    }
}
