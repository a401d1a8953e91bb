import Kernels
import TensorCore

/// Attention of every sequence to itself, head by head.
///
/// `Q [R, heads * width]`, `K [R', keyHeads * width]` and `V [R', keyHeads * values]` give `[R, heads * values]`. No score of two sequences
/// is computed, and nothing is transposed.
///
/// Inputs: Q, K, V, the offsets of the sequences in Q, those in K and V, and a tensor for each step on the scores.
struct SegmentAttention: Operator {
    /// What the elements of a tensor are for: one for all heads, or one for each.
    enum Place: Sendable {
        /// The same for all sequences.
        case constant(isPerHead: Bool)
        case sequences(isPerHead: Bool)
        case queries(isPerHead: Bool)
        case keys(isPerHead: Bool)
        /// Every query of a sequence with every key of it, head by head, sequence by sequence.
        case pairs(isPerHead: Bool)

        var isPerHead: Bool {
            switch self {
            case .constant(let isPerHead), .sequences(let isPerHead), .queries(let isPerHead),
                .keys(let isPerHead), .pairs(let isPerHead):
                isPerHead
            }
        }
    }

    /// What is done to the scaled scores.
    struct Step: Sendable {
        let adjustment: AttentionAdjustment
        let place: Place
    }

    let heads: Int
    /// The number of heads of keys and values, each of which as many heads of queries share.
    let keyHeads: Int
    let head: HeadAttention
    let steps: [Step]
    /// Whether no query sees a later key.
    let hidesLater: Bool

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let (q, k, v) = (try inputs.float32(0), try inputs.float32(1), try inputs.float32(2))
        for (index, (tensor, size)) in [
            (q, heads * head.width), (k, keyHeads * head.width), (v, keyHeads * head.valueWidth),
        ].enumerated() {
            guard tensor.shape.rank > 0, tensor.count == tensor.shape[0] * size else {
                throw .shape(.elementCountMismatch(expected: size, actual: tensor.count))
            }
            guard index < 2 || tensor.shape[0] == k.shape[0] else { throw .inputValue(input: index) }
        }
        let from = try Segments(inputs[3], rows: q.shape[0])
        let to = try Segments(inputs[4], rows: k.shape[0])
        guard from.count == to.count else { throw .inputValue(input: 4) }
        var tensors: [Tensor] = []
        for index in steps.indices { tensors.append(try tensor(index, inputs, from, to)) }
        return .one(
            try inputs.makeTensor(of: Float.self, Shape.checked([q.shape[0], heads * head.valueWidth])) { y in
                q.withPointer(to: Float.self) { q in
                    k.withPointer(to: Float.self) { k in
                        v.withPointer(to: Float.self) { v in
                            AttentionAdjustment.withElements(tensors[...]) {
                                attend(q, k, v, $0, into: y, from, to)
                            }
                        }
                    }
                }
            }
        )
    }

    private func attend(
        _ q: UnsafePointer<Float>,
        _ k: UnsafePointer<Float>,
        _ v: UnsafePointer<Float>,
        _ elements: [UnsafeRawPointer],
        into y: UnsafeMutablePointer<Float>,
        _ from: Segments,
        _ to: Segments
    ) {
        let (width, keyWidth) = (heads * head.width, keyHeads * head.width)
        let (values, keyValues) = (heads * head.valueWidth, keyHeads * head.valueWidth)
        let keys = to.rowCount / max(to.count, 1)
        let work = from.rowCount / max(from.count, 1) * keys * (head.width + head.valueWidth)
        let pairs =
            steps.contains { if case .pairs = $0.place { true } else { false } } ? Self.pairs(from, to) : []
        Parallel.forEach(from.count * heads, work: work) { parts in
            for part in parts {
                let (sequence, index) = part.quotientAndRemainder(dividingBy: heads)
                let (queries, keys) = (from[sequence], to[sequence])
                let keyHead = index / (heads / keyHeads)
                head.apply(
                    queryCount: queries.count,
                    keyCount: keys.count,
                    q: HeadAttention.Rows(
                        start: q + queries.lowerBound * width + index * head.width,
                        row: width
                    ),
                    k: HeadAttention.Keys(
                        start: k + keys.lowerBound * keyWidth + keyHead * head.width,
                        row: keyWidth,
                        column: 1
                    ),
                    v: HeadAttention.Rows(
                        start: v + keys.lowerBound * keyValues + keyHead * head.valueWidth,
                        row: keyValues
                    ),
                    adjustments: (hidesLater ? [.hideLater] : [])
                        + steps.indices.map {
                            let place = place(steps[$0].place, sequence, queries, keys, pairs, head: index)
                            return steps[$0].adjustment.ofHead(elements[$0], place)
                        },
                    into: y + queries.lowerBound * values + index * head.valueWidth,
                    row: values
                )
            }
        }
    }

    /// Where the pairs of each sequence begin, and where the last ends.
    private static func pairs(_ from: Segments, _ to: Segments) -> [Int] {
        var starts = [0]
        for index in 0..<from.count { starts.append(starts[index] + from[index].count * to[index].count) }
        return starts
    }

    /// The tensor of a step, if it has as many elements as it should.
    private func tensor(
        _ index: Int,
        _ inputs: NodeInputs,
        _ from: Segments,
        _ to: Segments
    ) throws(OperatorError) -> Tensor {
        let (tensor, step) = (try inputs[5 + index], steps[index])
        guard tensor.elementType == step.adjustment.elementType else {
            throw .unsupportedElementType(tensor.elementType, input: 5 + index)
        }
        let count =
            switch step.place {
            case .constant: 1
            case .sequences: from.count
            case .queries: from.rowCount
            case .keys: to.rowCount
            case .pairs: Self.pairs(from, to)[from.count]
            }
        guard tensor.count == count * (step.place.isPerHead ? heads : 1) else {
            throw .inputValue(input: 5 + index)
        }
        return tensor
    }

    /// Where the elements for a head of a sequence stand.
    private func place(
        _ place: Place,
        _ sequence: Int,
        _ queries: Range<Int>,
        _ keys: Range<Int>,
        _ pairs: [Int],
        head: Int
    ) -> AttentionAdjustment.Place {
        let (each, first) = place.isPerHead ? (heads, head) : (1, 0)
        switch place {
        case .constant: return .init(start: first, row: 0, column: 0)
        case .sequences: return .init(start: sequence * each + first, row: 0, column: 0)
        case .queries: return .init(start: queries.lowerBound * each + first, row: each, column: 0)
        case .keys: return .init(start: keys.lowerBound * each + first, row: 0, column: each)
        case .pairs:
            let start = pairs[sequence] * each + first * queries.count * keys.count
            return .init(start: start, row: keys.count, column: 1)
        }
    }
}
