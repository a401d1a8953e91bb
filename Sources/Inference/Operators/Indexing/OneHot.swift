import TensorCore

/// OneHot: a new axis of `depth` positions, `on` where the index names one, `off` elsewhere.
///
/// `values` is `[off, on]`; negative indices count from the end, those outside give no `on`.
struct OneHot: Operator {
    private let axis: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...3)
        axis = try reader.int("axis", default: -1)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let indices = try Cast.convert(inputs[0], to: .int64, inputs, input: 0)
        let depths = try Cast.convert(inputs[1], to: .int64, inputs, input: 1).integers(input: 1)
        let values = try inputs[2]
        guard depths.count == 1, let depth = depths.first, depth > 0 else { throw .inputValue(input: 1) }
        guard values.count == 2 else { throw .inputValue(input: 2) }
        let rank = indices.shape.rank + 1
        guard axis >= -rank, axis < rank else {
            throw .shape(.axisOutOfRange(axis: axis, rank: rank))
        }
        let axis = axis < 0 ? axis + rank : axis
        let shape = try shaped { () throws(ShapeError) in try indices.shape.inserting(depth, at: axis) }
        let inner = indices.shape.elementCount(of: axis..<indices.shape.rank)
        let size = values.elementType.byteCount
        var y = try inputs.makeTensor(values.elementType, shape)
        let count = y.count
        indices.withPointer(to: Int64.self) { indices in
            values.withRawPointer { values in
                y.withMutableRawPointer { target in
                    for place in 0..<count {
                        (target + place * size).copyMemory(from: values, byteCount: size)
                    }
                    for index in 0..<count / depth {
                        let named = Int(indices[index])
                        guard named >= -depth, named < depth else { continue }
                        let position = named < 0 ? named + depth : named
                        let place = (index / inner * depth + position) * inner + index % inner
                        (target + place * size).copyMemory(from: values + size, byteCount: size)
                    }
                }
            }
        }
        return .one(y)
    }
}
