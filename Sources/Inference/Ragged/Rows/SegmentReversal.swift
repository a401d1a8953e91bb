import TensorCore

/// The positions of each sequence from the last to the first.
///
/// Inputs: the rows, and the offsets of the sequences in them.
struct SegmentReversal: Operator {
    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank > 0 else { throw .unsupportedRank(0, input: 0) }
        let segments = try Segments(inputs[1], rows: x.shape[0])
        var y = try inputs.makeTensor(x.elementType, x.shape)
        let bytes = x.shape.elementCount(of: 1..<x.shape.rank) * x.elementType.byteCount
        x.withRawPointer { source in
            y.withMutableRawPointer { target in
                for index in 0..<segments.count {
                    let range = segments[index]
                    for row in range {
                        let from = range.lowerBound + range.upperBound - 1 - row
                        (target + row * bytes).copyMemory(from: source + from * bytes, byteCount: bytes)
                    }
                }
            }
        }
        return .one(y)
    }
}
