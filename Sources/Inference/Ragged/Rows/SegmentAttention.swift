import Kernels
import TensorCore

/// Attention of every sequence to itself, head by head.
///
/// `Q [R, heads * width]`, `K [R', heads * width]` and `V [R', heads * values]` give `[R, heads * values]`. No score of two sequences
/// is computed, and nothing is transposed.
///
/// Inputs: Q, K, V, the offsets of the sequences in Q, and those in K and V.
struct SegmentAttention: Operator {
    let heads: Int
    let head: HeadAttention

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
        return .one(
            try inputs.makeTensor(of: Float.self, Shape.checked([q.shape[0], values])) { y in
                q.withPointer(to: Float.self) { q in
                    k.withPointer(to: Float.self) { k in
                        v.withPointer(to: Float.self) { v in
                            for sequence in 0..<from.count {
                                let (queries, keys) = (from[sequence], to[sequence])
                                for index in 0..<heads {
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
                                        into: y + queries.lowerBound * values + index * head.valueWidth,
                                        row: values
                                    )
                                }
                            }
                        }
                    }
                }
            }
        )
    }
}
