import Kernels
import TensorCore

/// Attention of every sequence to itself, head by head.
///
/// `Q [R, heads * width]`, `K [R', heads * width]` and `V [R', heads * values]` give `[R, heads * values]`. No score of two sequences
/// is computed, and nothing is transposed.
///
/// Inputs: Q, K, V, the offsets of the sequences in Q, those in K and V, and what is added to the scores if there is something.
struct SegmentAttention: Operator {
    /// What a row of the bias is for; it has one element, or one a head.
    enum BiasKind: Sendable {
        /// There is one row for all.
        case constant(isPerHead: Bool)
        case sequences(isPerHead: Bool)
        case queries(isPerHead: Bool)
        case keys(isPerHead: Bool)
    }

    let heads: Int
    let head: HeadAttention
    /// nil: nothing is added.
    var bias: BiasKind?

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let (q, k, v) = (try inputs.float32(0), try inputs.float32(1), try inputs.float32(2))
        let (width, values) = (heads * head.width, heads * head.valueWidth)
        for (index, (tensor, size)) in [(q, width), (k, width), (v, values)].enumerated() {
            guard tensor.shape.rank > 0, tensor.count == tensor.shape[0] * size else {
                throw .shape(.elementCountMismatch(expected: size, actual: tensor.count))
            }
            guard index < 2 || tensor.shape[0] == k.shape[0] else { throw .inputValue(input: index) }
        }
        let from = try Segments(inputs[3], rows: q.shape[0])
        let to = try Segments(inputs[4], rows: k.shape[0])
        guard from.count == to.count else { throw .inputValue(input: 4) }
        let addends = try self.addends(inputs, from, to)
        return .one(
            try inputs.makeTensor(of: Float.self, Shape.checked([q.shape[0], values])) { y in
                q.withPointer(to: Float.self) { q in
                    k.withPointer(to: Float.self) { k in
                        v.withPointer(to: Float.self) { v in
                            guard let addends else { return attend(q, k, v, nil, into: y, from, to) }
                            addends.withPointer(to: Float.self) { attend(q, k, v, $0, into: y, from, to) }
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
        _ addends: UnsafePointer<Float>?,
        into y: UnsafeMutablePointer<Float>,
        _ from: Segments,
        _ to: Segments
    ) {
        let (width, values) = (heads * head.width, heads * head.valueWidth)
        let keys = to.rowCount / max(to.count, 1)
        let work = from.rowCount / max(from.count, 1) * keys * (head.width + head.valueWidth)
        Parallel.forEach(from.count * heads, work: work) { parts in
            for part in parts {
                let (sequence, index) = part.quotientAndRemainder(dividingBy: heads)
                let (queries, keys) = (from[sequence], to[sequence])
                head.apply(
                    queryCount: queries.count,
                    keyCount: keys.count,
                    q: HeadAttention.Rows(
                        start: q + queries.lowerBound * width + index * head.width,
                        row: width
                    ),
                    k: HeadAttention.Keys(
                        start: k + keys.lowerBound * width + index * head.width,
                        row: width,
                        column: 1
                    ),
                    v: HeadAttention.Rows(
                        start: v + keys.lowerBound * values + index * head.valueWidth,
                        row: values
                    ),
                    bias: addends.flatMap {
                        place(in: $0, sequence: sequence, queries, keys, head: index)
                    },
                    into: y + queries.lowerBound * values + index * head.valueWidth,
                    row: values
                )
            }
        }
    }

    /// The bias, if its rows are as many as they should be.
    private func addends(_ inputs: NodeInputs, _ from: Segments, _ to: Segments) throws(OperatorError)
        -> Tensor?
    {
        guard let bias else { return nil }
        let tensor = try inputs.float32(5)
        let (rows, isPerHead) =
            switch bias {
            case .constant(let isPerHead): (1, isPerHead)
            case .sequences(let isPerHead): (from.count, isPerHead)
            case .queries(let isPerHead): (from.rowCount, isPerHead)
            case .keys(let isPerHead): (to.rowCount, isPerHead)
            }
        guard tensor.count == rows * (isPerHead ? heads : 1) else { throw .inputValue(input: 5) }
        return tensor
    }

    /// Where the bias of a head of a sequence stands.
    private func place(
        in rows: UnsafePointer<Float>,
        sequence: Int,
        _ queries: Range<Int>,
        _ keys: Range<Int>,
        head: Int
    ) -> HeadAttention.Bias? {
        func at(_ row: Int, _ isPerHead: Bool) -> UnsafePointer<Float> {
            isPerHead ? rows + row * heads + head : rows + row
        }
        switch bias {
        case .constant(let isPerHead): return HeadAttention.Bias(start: at(0, isPerHead), row: 0, column: 0)
        case .sequences(let isPerHead):
            return HeadAttention.Bias(start: at(sequence, isPerHead), row: 0, column: 0)
        case .queries(let isPerHead):
            let start = at(queries.lowerBound, isPerHead)
            return HeadAttention.Bias(start: start, row: isPerHead ? heads : 1, column: 0)
        case .keys(let isPerHead):
            let start = at(keys.lowerBound, isPerHead)
            return HeadAttention.Bias(start: start, row: 0, column: isPerHead ? heads : 1)
        case nil: return nil
        }
    }
}
