import TensorCore

/// GatherElements: for each index the element of its own row along the axis; negative ones count from the end.
struct GatherElements: Operator, TakingAllTypes {
    private let axis: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        axis = try reader.int("axis", default: 0)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let places = try ElementPlaces(x.shape, axis: axis, indices: inputs[1], input: 1)
        var y = try inputs.makeTensor(x.elementType, places.shape)
        let size = x.elementType.byteCount
        x.withRawPointer { source in
            y.withMutableRawPointer { target in
                for (index, place) in places.offsets.enumerated() {
                    (target + index * size).copyMemory(from: source + place * size, byteCount: size)
                }
            }
        }
        return .one(y)
    }
}

/// Where in a tensor the elements are that indices along an axis name, one for each index.
struct ElementPlaces {
    let shape: Shape
    let offsets: [Int]

    /// Checks indices, of as many axes as the tensor and none longer but the axis itself; `input` is their number.
    init(_ whole: Shape, axis: Int, indices: Tensor, input: Int) throws(OperatorError) {
        let axis = try whole.axis(axis)
        shape = indices.shape
        guard shape.rank == whole.rank else { throw .unsupportedRank(shape.rank, input: input) }
        for other in 0..<whole.rank where other != axis && shape[other] > whole[other] {
            throw .shape(.dimensionMismatch(axis: other, expected: whole[other], actual: shape[other]))
        }
        let values = try indices.integers(input: input)
        let length = whole[axis]
        guard let fault = values.first(where: { $0 < -length || $0 >= length }) else {
            var view = StridedView(whole)
            let stride = view.strides[axis]
            for other in 0..<whole.rank where other != axis {
                view.take(axis: other, start: 0, step: 1, count: shape[other])
            }
            view.repeatInPlace(axis: axis, count: shape[axis])
            var offsets: [Int] = []
            offsets.reserveCapacity(values.count)
            if !values.isEmpty {
                view.forEachOffset(axes: whole.rank) { base in
                    let index = values[offsets.count]
                    offsets.append(base + (index < 0 ? index + length : index) * stride)
                }
            }
            self.offsets = offsets
            return
        }
        throw .indexOutOfRange(index: fault, length: length)
    }
}
