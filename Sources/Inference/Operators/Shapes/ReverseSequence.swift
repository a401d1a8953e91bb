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

extension ReverseSequence: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        return [try inputs.made(x.elementType, x.extents)]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let x = try packing.input(0)
        let (steps, batch) = timeIsFirst ? (0, 1) : (1, 0)
        guard let time = x.time, x.timeAxis == steps, x.extents[batch] == .integer(1) else {
            throw NoRule("the steps are not those of the sequence")
        }
        guard try packing.input(1).number == x.extents[steps] else {
            throw NoRule("a sequence's own length is not known to be that of its steps")
        }
        return [packing.emit(SegmentReversal(), [try packing.rows(0), packing.offsets(time)])]
    }
}
