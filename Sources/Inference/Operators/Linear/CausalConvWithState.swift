import TensorCore

/// CausalConvWithState: a convolution of each channel for itself that sees the positions before it, and those of a past.
///
/// `y[t] = activation(bias + sum over j of weight[j] * x[t - (K - 1) + j])` for `[B, C, L]` and weights `[C, 1, K]`;
/// positions before the first are those of the past state `[B, C, K - 1]`, or 0. The second output is the state for
/// the positions that follow.
struct CausalConvWithState: Operator {
    private let isActivated: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...4)
        try reader.expectOutputs(1...2)
        switch try reader.string("activation") ?? "none" {
        case "none": isActivated = false
        case "silu", "swish": isActivated = true
        default: throw .attributeValue("activation")
        }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        return try CausalConvWork(inputs, isActivated: isActivated).run(for: x.elementType, input: 0)
    }
}

private struct CausalConvWork: RealWork {
    private let inputs: NodeInputs
    private let isActivated: Bool
    private let x: Tensor
    private let weights: Tensor
    private let bias: Tensor?
    private let past: Tensor?

    init(_ inputs: NodeInputs, isActivated: Bool) throws(OperatorError) {
        self.inputs = inputs
        self.isActivated = isActivated
        x = try inputs[0]
        guard x.shape.rank == 3 else { throw .unsupportedRank(x.shape.rank, input: 0) }
        func input(_ index: Int) throws(OperatorError) -> Tensor? {
            try inputs.optional(index) == nil ? nil : inputs.tensor(index, of: inputs[0].elementType)
        }
        guard let weights = try input(1) else { throw .missingInput(1) }
        guard weights.shape.rank == 3 else { throw .unsupportedRank(weights.shape.rank, input: 1) }
        let (channels, kernel) = (x.shape[1], weights.shape[2])
        for (axis, expected) in [(0, channels), (1, 1)] where weights.shape[axis] != expected {
            throw .shape(.dimensionMismatch(axis: axis, expected: expected, actual: weights.shape[axis]))
        }
        guard kernel > 0 else { throw .shape(.dimensionMismatch(axis: 2, expected: 1, actual: 0)) }
        self.weights = weights
        bias = try input(2)
        if let bias, bias.shape.rank != 1 || bias.count != channels {
            throw .shape(.elementCountMismatch(expected: channels, actual: bias.count))
        }
        past = try input(3)
        let state = try Shape.checked([x.shape[0], channels, kernel - 1])
        if let past, past.shape != state {
            throw .shape(.notBroadcastable(past.shape.dimensions, state.dimensions))
        }
    }

    func run<T: RealNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        let (channels, length, kernel) = (x.shape[1], x.shape[2], weights.shape[2])
        let rows = x.shape[0] * channels
        // One channel of one sample, with the positions before it.
        let span = try Shape.checked([kernel - 1 + length]).elementCount
        var row = try inputs.makeTensor(T.elementType, Shape.checked([span]))
        var y = try inputs.makeTensor(T.elementType, x.shape)
        var state = try inputs.makeTensor(T.elementType, Shape.checked([x.shape[0], channels, kernel - 1]))
        row.withMutablePointer(to: T.self) { row in
            y.withMutablePointer(to: T.self) { y in
                state.withMutablePointer(to: T.self) { state in
                    x.withPointer(to: T.self) { x in
                        weights.withPointer(to: T.self) { weights in
                            for index in 0..<rows {
                                fill(row, index, kernel - 1)
                                (row + kernel - 1).update(from: x + index * length, count: length)
                                slide(
                                    row,
                                    weights + index % channels * kernel,
                                    into: y + index * length,
                                    channel: index % channels
                                )
                                (state + index * (kernel - 1)).update(from: row + length, count: kernel - 1)
                            }
                        }
                    }
                }
            }
        }
        return .many([y, state])
    }

    /// Writes what stands before the first position.
    private func fill<T: RealNumber>(_ row: UnsafeMutablePointer<T>, _ index: Int, _ count: Int) {
        guard let past else { return row.update(repeating: 0, count: count) }
        past.withPointer(to: T.self) { row.update(from: $0 + index * count, count: count) }
    }

    private func slide<T: RealNumber>(
        _ row: UnsafeMutablePointer<T>,
        _ weights: UnsafePointer<T>,
        into y: UnsafeMutablePointer<T>,
        channel: Int
    ) {
        let addend: T = bias?.withPointer(to: T.self) { $0[channel] } ?? 0
        let (length, kernel) = (x.shape[2], self.weights.shape[2])
        for position in 0..<length {
            var sum: T = 0
            for tap in 0..<kernel { sum += weights[tap] * row[position + tap] }
            sum += addend
            y[position] = isActivated ? sum / (1 + T.exponential(-sum)) : sum
        }
    }
}
