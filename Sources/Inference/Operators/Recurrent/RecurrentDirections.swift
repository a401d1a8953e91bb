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
    ///   - rows: The number of rows.
    ///   - places: Where a sequence's rows stand, for rows of `attributes.width` elements.
    ///   - states: The first states, `[D, B, H]`; afterwards the last ones.
    ///   - cells: The same of an LSTM's cells; nil for others.
    ///   - y: Receives the state after each step.
    ///   - results: For each direction, where in `y`; nil if nobody reads it.
    ///   - inputs: The node's inputs, for their limits.
    /// - Throws: ``OperatorError/tensorTooLarge(shape:limitBytes:)``.
    func run(
        _ x: Tensor,
        rows: Int,
        at places: StepRows,
        states: inout Tensor,
        cells: inout Tensor?,
        into y: inout Tensor,
        at results: ((_ direction: Int) -> StepRows)?,
        _ inputs: NodeInputs
    ) throws(OperatorError) {
        let (layers, width, size) = (weights.layers, attributes.width, lengths.count * attributes.hiddenSize)
        var projections: [Tensor] = []
        for _ in layers { projections.append(try inputs.makeTensor(.float32, Shape.checked([rows, width]))) }
        x.withPointer(to: Float.self) { x in
            Self.withPointers(&projections) { projections in
                states.withMutablePointer(to: Float.self) { states in
                    y.withMutablePointer(to: Float.self) { y in
                        Self.withPointer(&cells) { cells in
                            let work = ((layers.first?.features ?? 0) + attributes.hiddenSize) * width
                            Parallel.forEach(layers.count, work: rows * work) {
                                for direction in $0 {
                                    layers[direction].project(x, rows: rows, into: projections[direction])
                                    layers[direction].run(
                                        projections[direction],
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
    }

    private static func withPointers(
        _ tensors: inout [Tensor],
        _ body: ([UnsafeMutablePointer<Float>]) -> Void
    ) {
        guard var last = tensors.popLast() else { return body([]) }
        last.withMutablePointer(to: Float.self) { last in withPointers(&tensors) { body($0 + [last]) } }
        tensors.append(last)
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
