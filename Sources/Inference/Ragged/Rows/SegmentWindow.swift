import TensorCore

/// Each sequence without its first or last positions, or with more of them, which are filled with zeros.
///
/// Inputs: the rows, the offsets of the sequences in them, and those in the result.
struct SegmentWindow: Operator {
    /// How many positions are put before the first; negative to leave some out.
    let begin: Int
    /// How many are put behind the last.
    let end: Int

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank > 0 else { throw .unsupportedRank(0, input: 0) }
        let from = try Segments(inputs[1], rows: x.shape[0])
        let to = try Segments(inputs[2])
        guard from.count == to.count else { throw .inputValue(input: 2) }
        for index in 0..<from.count where from[index].count + begin + end != to[index].count {
            throw .inputValue(input: 2)
        }
        let shape = try shaped { () throws(ShapeError) in try x.shape.replacing(axis: 0, by: to.rowCount) }
        var y = try inputs.makeTensor(x.elementType, shape)
        let bytes = x.shape.elementCount(of: 1..<x.shape.rank) * x.elementType.byteCount
        x.withRawPointer { source in
            y.withMutableRawPointer { target in
                for index in 0..<from.count {
                    let (before, after) = (max(begin, 0), max(end, 0))
                    let kept = to[index].count - before - after
                    var place = target + to[index].lowerBound * bytes
                    place.initializeMemory(as: UInt8.self, repeating: 0, count: before * bytes)
                    place += before * bytes
                    let first = from[index].lowerBound + max(-begin, 0)
                    if kept > 0 { place.copyMemory(from: source + first * bytes, byteCount: kept * bytes) }
                    place += max(kept, 0) * bytes
                    place.initializeMemory(as: UInt8.self, repeating: 0, count: after * bytes)
                }
            }
        }
        return .one(y)
    }
}
