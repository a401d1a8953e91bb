import TensorCore

/// AttentionMask, an operator of this engine: what onnxruntime's attention operators add to scores for a mask.
///
/// The mask says of keys whether they count: `[B]` how many of a sample's do from the first on, `[2 * B]` the ends and
/// then the starts of those that do, `[B, keys]` or `[B, queries, keys]` with 1 for those that do. The result is 0
/// for them and `filter` for others, `[B, 1, 1 or queries, keys]`. Keys of a past, `[..., keys, width]`, come first.
struct AttentionMask: Operator {
    private let filter: Float

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...4)
        filter = try reader.float("filter", default: -10_000)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let mask = try inputs[0]
        let query = try inputs[1].shape
        let key = try inputs[2].shape
        guard query.rank == 3 else { throw .unsupportedRank(query.rank, input: 1) }
        guard key.rank == 3 else { throw .unsupportedRank(key.rank, input: 2) }
        let values = try mask.integers(input: 0)
        let batch = key[0]
        var keys = key[1]
        if let past = inputs.optional(3)?.shape {
            guard past.rank >= 2 else { throw .unsupportedRank(past.rank, input: 3) }
            keys += past[past.rank - 2]
        }
        switch mask.shape.rank {
        case 1:
            guard values.count == batch || values.count == 2 * batch else {
                throw .shape(.elementCountMismatch(expected: batch, actual: values.count))
            }
            let starts = values.count == batch ? [Int](repeating: 0, count: batch) : Array(values[batch...])
            return .one(
                try inputs.makeTensor(of: Float.self, .checked([batch, 1, 1, keys])) { y in
                    for sample in 0..<batch {
                        for position in 0..<keys {
                            let counts = position >= starts[sample] && position < values[sample]
                            y[sample * keys + position] = counts ? 0 : filter
                        }
                    }
                }
            )
        case 2, 3:
            let rows = mask.shape.rank == 2 ? 1 : query[1]
            let expected = try Shape.checked(mask.shape.rank == 2 ? [batch, keys] : [batch, rows, keys])
            guard mask.shape == expected else {
                throw .shape(.notBroadcastable(mask.shape.dimensions, expected.dimensions))
            }
            return .one(
                try inputs.makeTensor(of: Float.self, .checked([batch, 1, rows, keys])) { y in
                    for index in values.indices { y[index] = values[index] > 0 ? 0 : filter }
                }
            )
        default: throw .unsupportedRank(mask.shape.rank, input: 0)
        }
    }
}

/// A mask of which all is known to count adds nothing; what does not is left to run sequence by sequence.
extension AttentionMask: MeasuredOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let (mask, query, key) = (try inputs[0], try inputs[1], try inputs[2])
        guard inputs.optional(3) == nil, query.rank == 3, key.rank == 3, key.extents[0] == .integer(1) else {
            throw NoRule("there is a past")
        }
        let keys = key.extents[1]
        let isOpen: Bool
        switch mask.rank {
        case 1: isOpen = mask.numbers == [keys]
        case 2: isOpen = mask.extents == [.integer(1), keys] && Self.counts(mask)
        case 3: isOpen = mask.extents == [.integer(1), query.extents[1], keys] && Self.counts(mask)
        default: isOpen = false
        }
        guard isOpen, let zero = Scalar(Tensor(scalar: Float(0))) else {
            throw NoRule("which keys count is not known")
        }
        let rows = mask.rank == 3 ? query.extents[1] : .integer(1)
        return [try inputs.made(.float32, [.integer(1), .integer(1), rows, keys], .uniform(zero))]
    }

    private static func counts(_ mask: ValueFacts) -> Bool {
        mask.uniform.flatMap { Scalar($0)?.integer }.map { $0 > 0 } ?? false
    }
}
