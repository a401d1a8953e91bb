import Kernels
import TensorCore

/// LSTM: gates input, output, forget and cell from the input and the last hidden state, with optional peepholes.
///
/// `i, o, f = f(W x + R h + P . c + b)`, `c' = f . c + i . g(W x + R h + b)`, `h' = o . h(c')`. The output gate looks
/// at the new cell. A sequence's steps past its own length leave its states alone and give zeros.
struct LSTM: Operator {
    private let attributes: RecurrentAttributes
    private let couplesGates: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...8)
        try reader.expectOutputs(0...3)
        attributes = try RecurrentAttributes(&reader, standard: ["Sigmoid", "Tanh", "Tanh"])
        couplesGates = try reader.flag("input_forget", default: false)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let input = try RecurrentInputs(attributes, gates: 4, inputs)
        let hidden = input.hidden
        var hiddenStates = try input.state(5, attributes, inputs)
        var cells = try input.state(6, attributes, inputs)
        var peepholes = [Float](repeating: 0, count: input.directions * 3 * hidden)
        if inputs.optional(7) != nil {
            let given = try inputs.float32(7)
            guard given.count == peepholes.count else {
                throw .shape(.elementCountMismatch(expected: peepholes.count, actual: given.count))
            }
            peepholes = given.array(of: Float.self)
        }
        var outputs = try RecurrentOutputs(input, attributes, inputs)
        for direction in 0..<input.directions {
            let projection = try input.projection(direction, inputs)
            let matrix = try input.packedRecurrence(direction, gates: 0..<4)
            var gates = [Float](repeating: 0, count: input.batch * 4 * hidden)
            for step in 0..<input.steps {
                gates.withUnsafeMutableBufferPointer { gates in
                    hiddenStates[direction].withUnsafeMutableBufferPointer { h in
                        cells[direction].withUnsafeMutableBufferPointer { c in
                            guard let gates = gates.baseAddress, let h = h.baseAddress, let c = c.baseAddress
                            else { return }
                            GEMM.multiply(
                                m: input.batch,
                                a: h,
                                lda: hidden,
                                matrix,
                                c: gates,
                                ldc: 4 * hidden
                            )
                            for row in 0..<input.batch {
                                guard
                                    let position = input.position(
                                        step,
                                        of: row,
                                        isReversed: attributes.isReversed[direction]
                                    )
                                else { continue }
                                projection.withPointer(to: Float.self) {
                                    cell(
                                        gates + row * 4 * hidden,
                                        adding: $0 + (position * input.batch + row) * 4 * hidden,
                                        h: h + row * hidden,
                                        c: c + row * hidden,
                                        peepholes[(direction * 3 * hidden)...],
                                        attributes.activations[direction],
                                        hidden
                                    )
                                }
                                outputs.write(
                                    h + row * hidden,
                                    direction: direction,
                                    position: position,
                                    row: row
                                )
                            }
                        }
                    }
                }
            }
        }
        return try outputs.finish([hiddenStates, cells], inputs)
    }

    /// One step of one sequence; the gates stand in the order i, o, f, c, the peepholes in the order i, o, f.
    private func cell(
        _ gates: UnsafeMutablePointer<Float>,
        adding projection: UnsafePointer<Float>,
        h: UnsafeMutablePointer<Float>,
        c: UnsafeMutablePointer<Float>,
        _ peepholes: ArraySlice<Float>,
        _ activations: [RecurrentActivation],
        _ hidden: Int
    ) {
        let (input, output, forget, candidate) = (
            gates, gates + hidden, gates + 2 * hidden, gates + 3 * hidden
        )
        let first = peepholes.startIndex
        for index in 0..<4 * hidden { gates[index] += projection[index] }
        for index in 0..<hidden {
            input[index] += peepholes[first + index] * c[index]
            forget[index] += peepholes[first + 2 * hidden + index] * c[index]
        }
        activations[0].apply(input, count: hidden, clip: attributes.clip)
        if couplesGates {
            for index in 0..<hidden { forget[index] = 1 - input[index] }
        } else {
            activations[0].apply(forget, count: hidden, clip: attributes.clip)
        }
        activations[1].apply(candidate, count: hidden, clip: attributes.clip)
        for index in 0..<hidden {
            c[index] = forget[index] * c[index] + input[index] * candidate[index]
            output[index] += peepholes[first + hidden + index] * c[index]
            h[index] = c[index]
        }
        activations[0].apply(output, count: hidden, clip: attributes.clip)
        activations[2].apply(h, count: hidden, clip: nil)
        for index in 0..<hidden { h[index] *= output[index] }
    }
}
