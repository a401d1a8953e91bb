import TensorCore

/// Each sequence with more positions at its ends, or with negative counts fewer.
///
/// Inputs: the rows, the offsets of the sequences in them, and those in the result.
struct SegmentWindow: Operator {
    /// How many positions are put before the first; negative to leave some out.
    let begin: Int
    /// How many are put behind the last.
    let end: Int
    /// What the new positions hold.
    var mode = PadMode.constant
    /// The bytes of a new element if the mode is constant; nil for zeros.
    var element: [UInt8]?

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank > 0 else { throw .unsupportedRank(0, input: 0) }
        let from = try Segments(inputs[1], rows: x.shape[0])
        let to = try Segments(inputs[2])
        guard from.count == to.count else { throw .inputValue(input: 2) }
        for index in 0..<from.count {
            guard from[index].count + begin + end == to[index].count,
                mode == .constant || !from[index].isEmpty || to[index].isEmpty
            else { throw .inputValue(input: 2) }
        }
        let shape = try shaped { () throws(ShapeError) in try x.shape.replacing(axis: 0, by: to.rowCount) }
        var y = try inputs.makeTensor(x.elementType, shape)
        let bytes = x.shape.elementCount(of: 1..<x.shape.rank) * x.elementType.byteCount
        let element = element ?? [UInt8](repeating: 0, count: x.elementType.byteCount)
        x.withRawPointer { source in
            y.withMutableRawPointer { target in
                for index in 0..<from.count {
                    let (length, count) = (from[index].count, to[index].count)
                    let first = source + from[index].lowerBound * bytes
                    let start = target + to[index].lowerBound * bytes
                    func fill(_ position: Int) {
                        let place = start + position * bytes
                        if let row = mode.source(of: position - begin, length: length) {
                            place.copyMemory(from: first + row * bytes, byteCount: bytes)
                        } else {
                            PadMode.repeatBytes(element, at: place, byteCount: bytes)
                        }
                    }
                    let kept = min(max(begin, 0), count)
                    let behind = min(max(begin + length, kept), count)
                    for position in 0..<kept { fill(position) }
                    if behind > kept {
                        (start + kept * bytes)
                            .copyMemory(
                                from: first + (kept - begin) * bytes,
                                byteCount: (behind - kept) * bytes
                            )
                    }
                    for position in behind..<count { fill(position) }
                }
            }
        }
        return .one(y)
    }
}
