import Kernels
import TensorCore

/// An RNN, GRU or LSTM over every sequence: `X [R, features]` to `Y [R, directions, hidden]` and the last states,
/// `[B, directions, hidden]`.
///
/// The sequences step side by side, sorted by length, so that a step costs only those that have not ended; a reversed
/// direction begins at each sequence's own end.
///
/// Inputs: the rows, the offsets of the sequences in them, the first hidden states, and the first cell states; states are
/// `[B, directions, hidden]` or, the same for all, `[directions, hidden]`, with any axes of length 1 left out, or absent for zeros.
struct SegmentRecurrence: Operator, SteppingOperator {
    let attributes: RecurrentAttributes
    let weights: RecurrentWeights
    /// Whether anyone reads `Y`.
    let writesSteps: Bool

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs.float32(0)
        let (hidden, directions) = (attributes.hiddenSize, weights.layers.count)
        let features = weights.layers.first?.features ?? 0
        guard x.shape.rank > 0, x.count == x.shape[0] * features else {
            throw .shape(.dimensionMismatch(axis: 1, expected: features, actual: x.count))
        }
        let rows = x.shape[0]
        let segments = try Segments(inputs[1], rows: rows)
        let lengths = (0..<segments.count).map { segments[$0].count }
        var y = try inputs.makeTensor(
            .float32,
            Shape.checked([writesSteps ? rows : 0, directions, hidden])
        )
        var states = try RecurrentDirections.turned(state(2, segments.count, inputs), inputs)
        var cells: Tensor?
        if attributes.hasCells {
            cells = try RecurrentDirections.turned(state(3, segments.count, inputs), inputs)
        }
        RecurrentDirections(attributes: attributes, weights: weights, lengths: lengths).run(
            x,
            at: StepRows(packed: lengths, width: features),
            states: &states,
            cells: &cells,
            into: &y,
            at: writesSteps
                ? { StepRows(packed: lengths, width: directions * hidden, column: $0 * hidden) } : nil
        )
        var outputs = [y, try RecurrentDirections.turned(states, inputs)]
        if let cells { outputs.append(try RecurrentDirections.turned(cells, inputs)) }
        return .many(outputs)
    }

    /// The first states, `[B, directions, hidden]`.
    private func state(_ index: Int, _ count: Int, _ inputs: NodeInputs) throws(OperatorError) -> Tensor {
        let size = weights.layers.count * attributes.hiddenSize
        let shape = try Shape.checked([count, weights.layers.count, attributes.hiddenSize])
        guard inputs.optional(index) != nil else { return Tensor(repeating: Float(0), shape: shape) }
        let given = try inputs.float32(index)
        if given.count == count * size { return try given.viewed(as: shape) }
        guard given.count == size else {
            throw .shape(.elementCountMismatch(expected: count * size, actual: given.count))
        }
        return try inputs.makeTensor(of: Float.self, shape) { target in
            given.withPointer(to: Float.self) { source in
                for sequence in 0..<count {
                    (target + sequence * size).update(from: source, count: size)
                }
            }
        }
    }
}
