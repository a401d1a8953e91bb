import Kernels
import TensorCore

/// The directions of an RNN, GRU or LSTM, each with its own weights and states and independent of the others.
struct RecurrentDirections {
    let attributes: RecurrentAttributes
    let weights: RecurrentWeights
    /// The number of steps of each sequence.
    let lengths: [Int]

    /// Takes all steps of all directions, on spare threads if there are some.
    ///
    /// - Parameters:
    ///   - x: `[rows, features]`.
    ///   - places: Where a sequence's rows stand in it.
    ///   - states: The first states, `[D, B, H]`; afterwards the last ones.
    ///   - cells: The same of an LSTM's cells; nil for others.
    ///   - y: Receives the state after each step.
    ///   - results: For each direction, where in `y`; nil if nobody reads it.
    func run(
        _ x: Tensor,
        at places: StepRows,
        states: inout Tensor,
        cells: inout Tensor?,
        into y: inout Tensor,
        at results: ((_ direction: Int) -> StepRows)?
    ) {
        let (layers, size) = (weights.layers, lengths.count * attributes.hiddenSize)
        let work = ((layers.first?.features ?? 0) + attributes.hiddenSize) * attributes.width
        x.withPointer(to: Float.self) { x in
            states.withMutablePointer(to: Float.self) { states in
                y.withMutablePointer(to: Float.self) { y in
                    Self.withPointer(&cells) { cells in
                        Parallel.forEach(layers.count, work: lengths.reduce(0, +) * work) {
                            for direction in $0 {
                                layers[direction].run(
                                    x,
                                    places,
                                    lengths: lengths,
                                    isReversed: attributes.isReversed[direction],
                                    states: RecurrentLayer.States(
                                        hidden: states + direction * size,
                                        cell: cells.map { $0 + direction * size }
                                    ),
                                    output: results.map { (y, $0(direction)) }
                                )
                            }
                        }
                    }
                }
            }
        }
    }

    private static func withPointer(
        _ tensor: inout Tensor?,
        _ body: (UnsafeMutablePointer<Float>?) -> Void
    ) {
        guard var taken = tensor.take() else { return body(nil) }
        taken.withMutablePointer(to: Float.self) { body($0) }
        tensor = taken
    }

    /// States `[B, D, H]` as `[D, B, H]`, or the reverse.
    static func turned(_ states: Tensor, _ inputs: NodeInputs) throws(OperatorError) -> Tensor {
        try TransposeOperator.permute(states, [1, 0, 2], inputs)
    }
}
