import Kernels
import TensorCore

/// One evaluation of an RNN, GRU or LSTM: inputs checked, places of rows in either layout, all directions.
///
/// Time-first: `X [T, B, features]`, `Y [T, D, B, H]`, states `[D, B, H]`; batch-first: `X [B, T, features]`,
/// `Y [B, T, D, H]`, states `[B, D, H]`, with D directions. Nothing is transposed.
struct RecurrentRun {
    private let attributes: RecurrentAttributes
    private let weights: RecurrentWeights
    private let steps: Int
    private let batch: Int
    private let x: Tensor
    /// The number of steps of each sequence, each in `0 ... steps`.
    private let lengths: [Int]

    /// Checks `X` and the lengths.
    init(
        _ attributes: RecurrentAttributes,
        _ weights: RecurrentWeights,
        _ inputs: NodeInputs
    ) throws(OperatorError) {
        x = try inputs.float32(0)
        guard x.shape.rank == 3 else { throw .unsupportedRank(x.shape.rank, input: 0) }
        self.attributes = attributes
        self.weights = weights
        steps = x.shape[attributes.isBatchFirst ? 1 : 0]
        batch = x.shape[attributes.isBatchFirst ? 0 : 1]
        let features = weights.layers.first?.features ?? 0
        guard x.shape[2] == features else {
            throw .shape(.dimensionMismatch(axis: 2, expected: features, actual: x.shape[2]))
        }
        // A tensor without elements may claim any batch.
        let (cells, overflow) = (attributes.width + 4 * attributes.hiddenSize)
            .multipliedReportingOverflow(by: max(batch, 1))
        let limitBytes = inputs.limits.tensorBytes
        guard !overflow, cells <= limitBytes / MemoryLayout<Float>.size / 8 else {
            throw .tensorTooLarge(shape: [batch, attributes.width], limitBytes: limitBytes)
        }
        let limit = steps
        let lengths = try inputs.integers(4) ?? [Int](repeating: limit, count: batch)
        guard lengths.count == batch, lengths.allSatisfy({ $0 >= 0 && $0 <= limit }) else {
            throw .inputValue(input: 4)
        }
        self.lengths = lengths
    }

    /// `Y` and the last states, `Y_h` and, where the node has cells, `Y_c`.
    func evaluate(hasCells: Bool, _ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let (hidden, directions) = (attributes.hiddenSize, attributes.cells.count)
        let yShape =
            attributes.isBatchFirst
            ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden]
        var y = try inputs.makeTensor(.float32, Shape.checked(yShape))
        if lengths.contains(where: { $0 < steps }) {
            let count = y.count
            y.withMutablePointer(to: Float.self) { $0.update(repeating: 0, count: count) }
        }
        var states = try state(5, inputs)
        var cells = hasCells ? try state(6, inputs) : nil
        RecurrentDirections(attributes: attributes, weights: weights, lengths: lengths).run(
            x,
            at: places(width: x.shape[2], directions: 1, 0),
            states: &states,
            cells: &cells,
            into: &y,
            at: { places(width: hidden, directions: directions, $0) }
        )
        var outputs = [y, try laidOut(states, inputs)]
        if let cells { outputs.append(try laidOut(cells, inputs)) }
        return .many(outputs)
    }

    /// States of the node's layout as `[D, B, H]`, or the reverse.
    private func laidOut(_ states: Tensor, _ inputs: NodeInputs) throws(OperatorError) -> Tensor {
        attributes.isBatchFirst ? try RecurrentDirections.turned(states, inputs) : states
    }

    /// Where the rows of one direction stand.
    private func places(width: Int, directions: Int, _ direction: Int) -> StepRows {
        attributes.isBatchFirst
            ? StepRows(
                starts: (0..<batch).map { ($0 * steps * directions + direction) * width },
                step: directions * width
            )
            : StepRows(
                starts: (0..<batch).map { (direction * batch + $0) * width },
                step: directions * batch * width
            )
    }

    /// An initial state, `[D, B, H]`; zeros if it is absent.
    private func state(_ index: Int, _ inputs: NodeInputs) throws(OperatorError) -> Tensor {
        let (hidden, directions) = (attributes.hiddenSize, attributes.cells.count)
        let dimensions = attributes.isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
        guard inputs.optional(index) != nil else {
            return Tensor(repeating: Float(0), shape: try Shape.checked([directions, batch, hidden]))
        }
        let given = try inputs.float32(index)
        guard given.shape.dimensions == dimensions else {
            throw .shape(.notBroadcastable(given.shape.dimensions, dimensions))
        }
        return try laidOut(given, inputs)
    }
}
