import Kernels
import TensorCore

/// A 1-D convolution of every sequence, `[R, C]` to `[R', N]`; the ends of a sequence are those of its segment.
///
/// Inputs: the rows, the offsets of the sequences in them, those in the result, and a residual if it adds one.
struct SegmentConvolution: Operator {
    let convolution: PackedConvolution1D
    let bias: Tensor?
    let activation: UnaryOperation
    var addsResidual = false

    func addingResidual() -> (any Operator)? {
        guard !addsResidual else { return nil }
        var adding = self
        adding.addsResidual = true
        return adding
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs.float32(0)
        let geometry = convolution.geometry
        guard x.shape.rank > 0, x.count == x.shape[0] * geometry.inputChannels else {
            throw .shape(.dimensionMismatch(axis: 1, expected: geometry.inputChannels, actual: x.count))
        }
        let from = try Segments(inputs[1], rows: x.shape[0])
        let to = try Segments(inputs[2])
        guard from.count == to.count else { throw .inputValue(input: 2) }
        for index in 0..<to.count where geometry.outputLength(from[index].count) != to[index].count {
            throw .inputValue(input: 2)
        }
        let shape = try Shape.checked([to.rowCount, geometry.outputChannels])
        return .one(
            try inputs.sum(with: addsResidual ? 3 : nil, shape) { y, residual in
                x.withPointer(to: Float.self) { x in
                    var epilogue = Epilogue(activation: activation, residual: residual)
                    guard let bias else { return run(x, y, from, to, epilogue) }
                    bias.withPointer(to: Float.self) {
                        epilogue.bias = $0
                        run(x, y, from, to, epilogue)
                    }
                }
            }
        )
    }

    private func run(
        _ x: UnsafePointer<Float>,
        _ y: UnsafeMutablePointer<Float>,
        _ from: Segments,
        _ to: Segments,
        _ epilogue: Epilogue
    ) {
        Parallel.forEach(to.rowCount, work: convolution.work, multipleOf: convolution.unit) { rows in
            var parts: [PackedConvolution1D.Part] = []
            var index = to.index(ofRow: rows.lowerBound)
            parts.reserveCapacity(min(to.count - index, rows.count))
            while index < to.count, to[index].lowerBound < rows.upperBound {
                let (source, result) = (from[index], to[index])
                let part = result.clamped(to: rows)
                parts.append(
                    PackedConvolution1D.Part(
                        source: source.lowerBound,
                        length: source.count,
                        target: result.lowerBound,
                        positions: part.lowerBound - result.lowerBound..<part.upperBound - result.lowerBound
                    )
                )
                index += 1
            }
            convolution.rows(x, parts: parts, into: y, epilogue: epilogue)
        }
    }
}
