import TensorCore

/// The results of a recurrent operator while they are made: all hidden states, and the last ones.
struct RecurrentOutputs {
    private let attributes: RecurrentAttributes
    private let shape: (steps: Int, directions: Int, batch: Int, hidden: Int)
    /// `[steps, directions, batch, hidden]`, zeros past the end of a sequence.
    private var all: Tensor

    init(_ input: RecurrentInputs, _ attributes: RecurrentAttributes, _ inputs: NodeInputs)
        throws(OperatorError)
    {
        self.attributes = attributes
        shape = (input.steps, input.directions, input.batch, input.hidden)
        all = try inputs.makeTensor(
            .float32,
            Shape.checked([input.steps, input.directions, input.batch, input.hidden])
        )
        let count = all.count
        all.withMutablePointer(to: Float.self) { $0.update(repeating: 0, count: count) }
    }

    /// Writes the hidden state of one sequence after the step at a position.
    mutating func write(_ state: UnsafePointer<Float>, direction: Int, position: Int, row: Int) {
        let place = ((position * shape.directions + direction) * shape.batch + row) * shape.hidden
        let count = shape.hidden
        all.withMutablePointer(to: Float.self) { ($0 + place).update(from: state, count: count) }
    }

    /// The outputs in the node's layout; each of the last states is `[directions][batch * hidden]`.
    func finish(_ states: [[[Float]]], _ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var outputs = [all]
        if attributes.isBatchFirst { outputs[0] = try TransposeOperator.permute(all, [2, 0, 1, 3], inputs) }
        for state in states {
            let flat = try shaped { () throws(ShapeError) in
                try Tensor(
                    Array(state.joined()),
                    shape: Shape(checking: [shape.directions, shape.batch, shape.hidden])
                )
            }
            outputs.append(
                attributes.isBatchFirst ? try TransposeOperator.permute(flat, [1, 0, 2], inputs) : flat
            )
        }
        return .many(outputs)
    }
}
