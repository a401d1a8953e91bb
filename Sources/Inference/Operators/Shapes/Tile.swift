import TensorCore

/// Tile: the tensor repeated along each axis as often as the second input says.
struct Tile: Operator, TakingAllTypes {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(2...2) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var x = try inputs[0]
        let repeats = try inputs[1].integers(input: 1)
        guard repeats.count == x.shape.rank, repeats.allSatisfy({ $0 >= 0 }) else {
            throw .inputValue(input: 1)
        }
        // The whole result's size is known before the first axis is repeated.
        var lengths: [Int] = []
        for (axis, count) in repeats.enumerated() {
            let (length, overflow) = x.shape[axis].multipliedReportingOverflow(by: count)
            guard !overflow else { throw .inputValue(input: 1) }
            lengths.append(length)
        }
        let shape = try Shape.checked(lengths)
        guard shape.elementCount > 0 else { return .one(try inputs.makeTensor(x.elementType, shape)) }
        for axis in (0..<x.shape.rank).reversed() where repeats[axis] != 1 {
            x = try Self.tile(x, axis: axis, count: repeats[axis], inputs)
        }
        return .one(x)
    }

    private static func tile(
        _ x: Tensor,
        axis: Int,
        count: Int,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let length = x.shape[axis] * count
        let shape = try shaped { () throws(ShapeError) in try x.shape.replacing(axis: axis, by: length) }
        var y = try inputs.makeTensor(x.elementType, shape)
        let outer = x.shape.elementCount(of: 0..<axis)
        let bytes = x.shape.elementCount(of: axis..<x.shape.rank) * x.elementType.byteCount
        x.withRawPointer { source in
            y.withMutableRawPointer { target in
                for row in 0..<outer {
                    for index in 0..<count {
                        (target + (row * count + index) * bytes)
                            .copyMemory(from: source + row * bytes, byteCount: bytes)
                    }
                }
            }
        }
        return y
    }
}
