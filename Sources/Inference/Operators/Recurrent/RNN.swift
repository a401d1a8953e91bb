import Kernels
import TensorCore

/// RNN: `h' = f(W x + R h + b)`.
///
/// A sequence's steps past its own length leave its state alone and give zeros.
struct RNN: Operator {
    private let attributes: RecurrentAttributes

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...6)
        try reader.expectOutputs(0...2)
        attributes = try RecurrentAttributes(&reader, standard: ["Tanh"])
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let input = try RecurrentInputs(attributes, gates: 1, inputs)
        let hidden = input.hidden
        var states = try input.state(5, attributes, inputs)
        var outputs = try RecurrentOutputs(input, attributes, inputs)
        for direction in 0..<input.directions {
            let projection = try input.projection(direction, inputs)
            let matrix = try input.packedRecurrence(direction, gates: 0..<1)
            let activation = attributes.activations[direction][0]
            var fresh = [Float](repeating: 0, count: hidden)
            for row in 0..<input.batch {
                for step in 0..<input.lengths[row] {
                    let position = attributes.isReversed[direction] ? input.lengths[row] - 1 - step : step
                    states[direction].withUnsafeMutableBufferPointer { all in
                        fresh.withUnsafeMutableBufferPointer { fresh in
                            guard let all = all.baseAddress, let fresh = fresh.baseAddress else { return }
                            let h = all + row * hidden
                            GEMM.multiply(m: 1, a: h, lda: hidden, matrix, c: fresh, ldc: hidden)
                            projection.withPointer(to: Float.self) {
                                let addend = $0 + (position * input.batch + row) * hidden
                                for index in 0..<hidden { h[index] = fresh[index] + addend[index] }
                            }
                            activation.apply(h, count: hidden, clip: attributes.clip)
                            outputs.write(h, direction: direction, position: position, row: row)
                        }
                    }
                }
            }
        }
        return try outputs.finish([states], inputs)
    }
}
