import Kernels
import TensorCore

/// GRU: gates update and reset, and a candidate state, from the input and the last hidden state.
///
/// `z, r = f(W x + R h + b)`, `n = g(W x + R (r . h) + b)`, or with `linear_before_reset`
/// `n = g(W x + bW + r . (R h + bR))`; `h' = (1 - z) . n + z . h`. A sequence's steps past its own length leave its
/// state alone and give zeros.
struct GRU: Operator {
    private let attributes: RecurrentAttributes
    private let multipliesBeforeReset: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...6)
        try reader.expectOutputs(0...2)
        attributes = try RecurrentAttributes(&reader, standard: ["Sigmoid", "Tanh"])
        multipliesBeforeReset = try reader.flag("linear_before_reset", default: false)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let input = try RecurrentInputs(attributes, gates: 3, inputs)
        let hidden = input.hidden
        var states = try input.state(5, attributes, inputs)
        var outputs = try RecurrentOutputs(input, attributes, inputs)
        for direction in 0..<input.directions {
            let projection = try input.projection(
                direction,
                separatingBiasFrom: multipliesBeforeReset ? 2 : nil,
                inputs
            )
            let cell = try Cell(
                gates: input.packedRecurrence(direction, gates: 0..<2),
                candidate: input.packedRecurrence(direction, gates: 2..<3),
                candidateBias: candidateBias(input, direction),
                activations: attributes.activations[direction],
                clip: attributes.clip,
                hidden: hidden
            )
            var scratch = [Float](repeating: 0, count: 4 * hidden)
            for row in 0..<input.batch {
                for step in 0..<input.lengths[row] {
                    let position = attributes.isReversed[direction] ? input.lengths[row] - 1 - step : step
                    states[direction].withUnsafeMutableBufferPointer { all in
                        scratch.withUnsafeMutableBufferPointer { scratch in
                            guard let all = all.baseAddress, let scratch = scratch.baseAddress else { return }
                            let h = all + row * hidden
                            projection.withPointer(to: Float.self) {
                                cell.step(
                                    h,
                                    adding: $0 + (position * input.batch + row) * 3 * hidden,
                                    scratch
                                )
                            }
                            outputs.write(h, direction: direction, position: position, row: row)
                        }
                    }
                }
            }
        }
        return try outputs.finish([states], inputs)
    }

    /// The bias of `R` for the candidate where it is added before the reset gate; else nil.
    private func candidateBias(_ input: RecurrentInputs, _ direction: Int) -> [Float]? {
        guard multipliesBeforeReset else { return nil }
        guard let bias = input.bias else { return [Float](repeating: 0, count: input.hidden) }
        let start = direction * 6 * input.hidden + 5 * input.hidden
        return bias.withPointer(to: Float.self) { bias in (0..<input.hidden).map { bias[start + $0] } }
    }

    /// One direction's matrices.
    private struct Cell {
        let gates: PackedMatrix
        let candidate: PackedMatrix
        let candidateBias: [Float]?
        let activations: [RecurrentActivation]
        let clip: Float?
        let hidden: Int

        /// One step of one sequence; the projection holds z, r, n.
        func step(
            _ h: UnsafeMutablePointer<Float>,
            adding projection: UnsafePointer<Float>,
            _ scratch: UnsafeMutablePointer<Float>
        ) {
            let (update, reset) = (scratch, scratch + hidden)
            let (fresh, masked) = (scratch + 2 * hidden, scratch + 3 * hidden)
            GEMM.multiply(m: 1, a: h, lda: hidden, gates, c: update, ldc: 2 * hidden)
            for index in 0..<2 * hidden { update[index] += projection[index] }
            activations[0].apply(update, count: 2 * hidden, clip: clip)
            if let candidateBias {
                GEMM.multiply(m: 1, a: h, lda: hidden, candidate, c: fresh, ldc: hidden)
                for index in 0..<hidden {
                    fresh[index] = reset[index] * (fresh[index] + candidateBias[index])
                }
            } else {
                for index in 0..<hidden { masked[index] = reset[index] * h[index] }
                GEMM.multiply(m: 1, a: masked, lda: hidden, candidate, c: fresh, ldc: hidden)
            }
            for index in 0..<hidden { fresh[index] += projection[2 * hidden + index] }
            activations[1].apply(fresh, count: hidden, clip: clip)
            for index in 0..<hidden {
                h[index] = (1 - update[index]) * fresh[index] + update[index] * h[index]
            }
        }
    }
}
