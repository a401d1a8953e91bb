import TensorCore

/// ReverseSequence: the first `sequence_lens[b]` steps of each sequence in reverse, the others as they are.
struct ReverseSequence: Operator, TakingAllTypes {
    private let timeIsFirst: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        let time = try reader.int("time_axis", default: 0)
        let batch = try reader.int("batch_axis", default: 1)
        guard (time, batch) == (0, 1) || (time, batch) == (1, 0) else {
            throw .attributeValue("time_axis")
        }
        timeIsFirst = time == 0
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank >= 2 else { throw .unsupportedRank(x.shape.rank, input: 0) }
        let lengths = try inputs[1].integers(input: 1)
        let (steps, batch) = timeIsFirst ? (x.shape[0], x.shape[1]) : (x.shape[1], x.shape[0])
        guard lengths.count == batch, lengths.allSatisfy({ $0 >= 0 && $0 <= steps }) else {
            throw .inputValue(input: 1)
        }
        let bytes = x.shape.elementCount(of: 2..<x.shape.rank) * x.elementType.byteCount
        var y = try inputs.makeTensor(x.elementType, x.shape)
        x.withRawPointer { source in
            y.withMutableRawPointer { target in
                for row in 0..<batch {
                    for step in 0..<steps {
                        let from = step < lengths[row] ? lengths[row] - 1 - step : step
                        let (a, b) =
                            timeIsFirst
                            ? (step * batch + row, from * batch + row)
                            : (row * steps + step, row * steps + from)
                        (target + a * bytes).copyMemory(from: source + b * bytes, byteCount: bytes)
                    }
                }
            }
        }
        return .one(y)
    }
}
