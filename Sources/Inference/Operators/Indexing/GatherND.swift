import TensorCore

/// GatherND: the slices that tuples of indices name, within each of the first `batch_dims` axes' elements.
struct GatherND: Operator, TakingAllTypes {
    private let batchAxes: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        batchAxes = reader.opset >= 12 ? try reader.int("batch_dims", default: 0) : 0
        guard batchAxes >= 0 else { throw .attributeValue("batch_dims") }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let places = try SlicePlaces(x.shape, indices: inputs[1], batchAxes: batchAxes, input: 1)
        let indices = try inputs[1].shape
        let lead = (0..<(indices.rank - 1)).map { indices[$0] }
        let tail = x.shape.dimensions.dropFirst(batchAxes + places.depth)
        var y = try inputs.makeTensor(x.elementType, Shape.checked(lead + tail))
        let bytes = places.sliceCount * x.elementType.byteCount
        let size = x.elementType.byteCount
        x.withRawPointer { source in
            y.withMutableRawPointer { target in
                for (index, place) in places.offsets.enumerated() {
                    (target + index * bytes).copyMemory(from: source + place * size, byteCount: bytes)
                }
            }
        }
        return .one(y)
    }
}

/// Where in a tensor the slices begin that tuples of indices (the last axis of `indices`) name.
struct SlicePlaces {
    /// The number of indices in a tuple.
    let depth: Int
    /// The number of elements of a slice.
    let sliceCount: Int
    /// The first element of each slice.
    let offsets: [Int]

    init(_ whole: Shape, indices: Tensor, batchAxes: Int, input: Int) throws(OperatorError) {
        let shape = indices.shape
        guard shape.rank > batchAxes, whole.rank >= batchAxes else {
            throw .unsupportedRank(shape.rank, input: input)
        }
        for axis in 0..<batchAxes where shape[axis] != whole[axis] {
            throw .shape(.dimensionMismatch(axis: axis, expected: whole[axis], actual: shape[axis]))
        }
        depth = shape[shape.rank - 1]
        guard depth >= 1, batchAxes + depth <= whole.rank else {
            throw .shape(.dimensionMismatch(axis: shape.rank - 1, expected: whole.rank, actual: depth))
        }
        sliceCount = whole.elementCount(of: (batchAxes + depth)..<whole.rank)
        let values = try indices.integers(input: input)
        let batchCount = whole.elementCount(of: 0..<batchAxes)
        let batchSize = whole.elementCount(of: batchAxes..<whole.rank)
        let tuples = values.count / depth
        var offsets: [Int] = []
        offsets.reserveCapacity(tuples)
        for tuple in 0..<tuples {
            var place = 0
            for level in 0..<depth {
                let length = whole[batchAxes + level]
                let index = values[tuple * depth + level]
                guard index >= -length, index < length else {
                    throw .indexOutOfRange(index: index, length: length)
                }
                place = place * length + (index < 0 ? index + length : index)
            }
            offsets.append(tuple / max(tuples / max(batchCount, 1), 1) * batchSize + place * sliceCount)
        }
        self.offsets = offsets
    }
}
