import TensorCore

/// A row a sequence, `[B, ...]`, to one for each of its positions, `[R, ...]`.
struct RepeatRows: Operator {
    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let segments = try Segments(inputs[1])
        guard x.shape.rank > 0, x.shape[0] == segments.count else { throw .inputValue(input: 1) }
        let shape = try shaped { () throws(ShapeError) in
            try x.shape.replacing(axis: 0, by: segments.rowCount)
        }
        var y = try inputs.makeTensor(x.elementType, shape)
        let bytes = x.shape.elementCount(of: 1..<x.shape.rank) * x.elementType.byteCount
        x.withRawPointer { source in
            y.withMutableRawPointer { target in
                for index in 0..<segments.count {
                    for row in segments[index] {
                        (target + row * bytes).copyMemory(from: source + index * bytes, byteCount: bytes)
                    }
                }
            }
        }
        return .one(y)
    }
}
