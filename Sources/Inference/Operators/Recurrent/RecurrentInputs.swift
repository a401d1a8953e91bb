import Kernels
import TensorCore

/// The inputs of RNN, GRU and LSTM, checked: `X`, weights `W` and `R`, biases, lengths and initial states.
struct RecurrentInputs {
    let steps: Int
    let batch: Int
    let features: Int
    let hidden: Int
    let gates: Int
    let directions: Int
    /// The input, `[steps, batch, features]`.
    let x: Tensor
    /// `W`, `[directions, gates * hidden, features]`.
    let weights: Tensor
    /// `R`, `[directions, gates * hidden, hidden]`.
    let recurrence: Tensor
    /// The biases of `W`, then those of `R`, `[directions, 2 * gates * hidden]`; nil for zeros.
    let bias: Tensor?
    /// The number of steps of each sequence, each in `0 ... steps`.
    let lengths: [Int]

    init(
        _ attributes: RecurrentAttributes,
        gates: Int,
        _ inputs: NodeInputs
    ) throws(OperatorError) {
        var x = try inputs.float32(0)
        guard x.shape.rank == 3 else { throw .unsupportedRank(x.shape.rank, input: 0) }
        if attributes.isBatchFirst { x = try TransposeOperator.permute(x, [1, 0, 2], inputs) }
        (steps, batch, features) = (x.shape[0], x.shape[1], x.shape[2])
        self.x = x
        self.gates = gates
        hidden = attributes.hiddenSize
        directions = attributes.isReversed.count
        let rows = gates * hidden
        weights = try Self.expect(inputs.float32(1), [directions, rows, features])
        recurrence = try Self.expect(inputs.float32(2), [directions, rows, hidden])
        bias = try inputs.optional(3) == nil ? nil : Self.expect(inputs.float32(3), [directions, 2 * rows])
        // A tensor without elements may claim any batch.
        let (cells, overflow) = (gates * hidden).multipliedReportingOverflow(by: max(batch, 1))
        let limitBytes = inputs.limits.tensorBytes
        guard !overflow, cells <= limitBytes / MemoryLayout<Float>.size / 8 else {
            throw .tensorTooLarge(shape: [batch, gates * hidden], limitBytes: limitBytes)
        }
        let limit = x.shape[0]
        let lengths = try inputs.integers(4) ?? [Int](repeating: limit, count: batch)
        guard lengths.count == batch, lengths.allSatisfy({ $0 >= 0 && $0 <= limit }) else {
            throw .inputValue(input: 4)
        }
        self.lengths = lengths
    }

    private static func expect(_ tensor: Tensor, _ dimensions: [Int]) throws(OperatorError) -> Tensor {
        guard tensor.shape.dimensions == dimensions else {
            throw .shape(.notBroadcastable(tensor.shape.dimensions, dimensions))
        }
        return tensor
    }

    /// An initial state as `[directions][batch * hidden]`; zeros if it is absent.
    func state(
        _ index: Int,
        _ attributes: RecurrentAttributes,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> [[Float]] {
        let size = batch * hidden
        guard inputs.optional(index) != nil else {
            return [[Float]](repeating: [Float](repeating: 0, count: size), count: directions)
        }
        var state = try inputs.float32(index)
        if attributes.isBatchFirst, state.shape.rank == 3 {
            state = try TransposeOperator.permute(state, [1, 0, 2], inputs)
        }
        let values = try Self.expect(state, [directions, batch, hidden]).array(of: Float.self)
        return (0..<directions).map { Array(values[($0 * size)..<(($0 + 1) * size)]) }
    }

    /// What the input contributes to all gates of one direction, with the sum of both biases added.
    ///
    /// `[steps * batch, gates * hidden]`. The biases of `R` are left out from the gate `separate` on.
    func projection(
        _ direction: Int,
        separatingBiasFrom separate: Int? = nil,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let rows = gates * hidden
        var addends = [Float](repeating: 0, count: rows)
        if let bias {
            bias.withPointer(to: Float.self) { bias in
                let bias = bias + direction * 2 * rows
                for row in 0..<rows {
                    let isSeparate = separate.map { row >= $0 * hidden } ?? false
                    addends[row] = isSeparate ? bias[row] : bias[row] + bias[rows + row]
                }
            }
        }
        var result = try inputs.makeTensor(.float32, Shape.checked([steps * batch, rows]))
        x.withPointer(to: Float.self) { x in
            weights.withPointer(to: Float.self) { weights in
                result.withMutablePointer(to: Float.self) { result in
                    for row in 0..<steps * batch {
                        (result + row * rows).update(from: addends, count: rows)
                    }
                    GEMM.multiply(
                        transposeB: true,
                        m: steps * batch,
                        n: rows,
                        k: features,
                        a: x,
                        lda: features,
                        b: weights + direction * rows * features,
                        ldb: features,
                        beta: 1,
                        c: result,
                        ldc: rows
                    )
                }
            }
        }
        return result
    }

    /// The matrices of `R` of one direction for gates, transposed and packed: `[hidden, gates * hidden]`.
    func packedRecurrence(_ direction: Int, gates range: Range<Int>) throws(OperatorError) -> PackedMatrix {
        let start = (direction * gates + range.lowerBound) * hidden * hidden
        return try shaped { () throws(ShapeError) in
            try recurrence.withPointer(to: Float.self) { (r) throws(ShapeError) in
                try PackedMatrix(
                    rows: hidden,
                    columns: range.count * hidden,
                    from: r + start,
                    leadingDimension: hidden,
                    transposed: true
                )
            }
        }
    }

    /// The step each sequence is at, counted from its own end where the direction is reversed; nil past its end.
    @inline(__always)
    func position(_ step: Int, of row: Int, isReversed: Bool) -> Int? {
        guard step < lengths[row] else { return nil }
        return isReversed ? lengths[row] - 1 - step : step
    }
}
