import TensorCore

/// One position of each sequence, `[R, ...]` to `[B, ...]`; negative ones count from the end.
///
/// Inputs: the rows, and the offsets of the sequences in them.
struct SegmentRow: Operator {
    let index: Int

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank > 0 else { throw .unsupportedRank(0, input: 0) }
        let segments = try Segments(inputs[1], rows: x.shape[0])
        let shape = try shaped { () throws(ShapeError) in
            try x.shape.replacing(axis: 0, by: segments.count)
        }
        for sequence in 0..<segments.count {
            let length = segments[sequence].count
            guard index >= -length, index < length else {
                throw .indexOutOfRange(index: index, length: length)
            }
        }
        var y = try inputs.makeTensor(x.elementType, shape)
        let bytes = x.shape.elementCount(of: 1..<x.shape.rank) * x.elementType.byteCount
        x.withRawPointer { source in
            y.withMutableRawPointer { target in
                for sequence in 0..<segments.count {
                    let range = segments[sequence]
                    let row = index < 0 ? range.upperBound + index : range.lowerBound + index
                    (target + sequence * bytes).copyMemory(from: source + row * bytes, byteCount: bytes)
                }
            }
        }
        return .one(y)
    }
}
