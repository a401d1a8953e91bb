import TensorCore

/// Trilu: the upper or lower triangle of each matrix (the last two axes), zeros elsewhere.
struct Trilu: Operator, TakingAllTypes {
    private let isUpper: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...2)
        isUpper = try reader.flag("upper", default: true)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let rank = x.shape.rank
        guard rank >= 2 else { throw .unsupportedRank(rank, input: 0) }
        var diagonal = 0
        if let given = try inputs.integers(1) {
            guard given.count == 1 else { throw .inputValue(input: 1) }
            // Further off than any matrix is large is all the same.
            diagonal = min(max(given[0], -Shape.maximumElementCount), Shape.maximumElementCount)
        }
        let (rows, columns) = (x.shape[rank - 2], x.shape[rank - 1])
        let size = x.elementType.byteCount
        var y = try inputs.makeTensor(x.elementType, x.shape)
        let count = x.count / max(columns, 1)
        x.withRawPointer { source in
            y.withMutableRawPointer { target in
                for row in 0..<count where columns > 0 {
                    let split = min(max(row % rows + diagonal + (isUpper ? 0 : 1), 0), columns)
                    let start = row * columns * size
                    let kept = isUpper ? split..<columns : 0..<split
                    _ = (target + start).initializeMemory(as: UInt8.self, repeating: 0, count: columns * size)
                    (target + start + kept.lowerBound * size).copyMemory(
                        from: source + start + kept.lowerBound * size,
                        byteCount: kept.count * size
                    )
                }
            }
        }
        return .one(y)
    }
}

/// What it gives for every two positions is made sequence by sequence.
extension Trilu: MeasuredOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        return [try inputs.made(x.elementType, x.extents)]
    }
}
