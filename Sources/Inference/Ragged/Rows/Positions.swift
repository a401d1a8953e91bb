import TensorCore

/// The number of each position in its own sequence, from 0 on: int64 `[R]`.
///
/// Input: the offsets of the sequences.
struct Positions: Operator {
    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let segments = try Segments(inputs[0])
        return .one(
            try inputs.makeTensor(of: Int64.self, Shape.checked([segments.rowCount])) { y in
                for index in 0..<segments.count {
                    let range = segments[index]
                    for row in range { y[row] = Int64(row - range.lowerBound) }
                }
            }
        )
    }
}
