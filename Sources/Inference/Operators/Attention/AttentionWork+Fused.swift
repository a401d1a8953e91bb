import Kernels
import TensorCore

/// What most models ask of Attention, by the kernel that also packed rows use: scores exist for a few queries of one head.
extension AttentionWork {
    /// The result in float32; nil for what the kernel does not do.
    func fused() throws(OperatorError) -> Tensor? {
        guard inputs.outputCount == 1, inputs.optional(4) == nil, bias.isPlain, query.width > 0,
            value.width > 0,
            let head = attention.kernel(width: query.width, valueWidth: value.width)
        else { return nil }
        let result = HeadLayout(
            heads: query.heads,
            length: query.length,
            width: value.width,
            isPacked: query.isPacked
        )
        let (q, k, v) = (try inputs[0], try inputs[1], try inputs[2])
        var y = try inputs.makeTensor(.float32, result.shape(batch: batch))
        guard y.count > 0, key.length > 0 else { return y.count == 0 ? y : nil }
        let shared = query.heads / key.heads
        let adjustment = bias.mask.map { Attention.adjustment(by: $0.elementType) }
        y.withMutablePointer(to: Float.self) { y in
            q.withPointer(to: Float.self) { q in
                k.withPointer(to: Float.self) { k in
                    v.withPointer(to: Float.self) { v in
                        AttentionAdjustment.withElements((bias.mask.map { [$0] } ?? [])[...]) { mask in
                            for part in 0..<batch * query.heads {
                                let (sample, index) = part.quotientAndRemainder(dividingBy: query.heads)
                                var adjustments: [HeadAttention.Adjustment] =
                                    attention.isCausal ? [.hideLater] : []
                                if let adjustment {
                                    adjustments.append(
                                        adjustment.ofHead(mask[0], bias.place(batch: sample, head: index))
                                    )
                                }
                                head.apply(
                                    queryCount: query.length,
                                    keyCount: key.length,
                                    q: HeadAttention.Rows(
                                        start: q + query.start(batch: sample, head: index),
                                        row: query.rowStride
                                    ),
                                    k: HeadAttention.Keys(
                                        start: k + key.start(batch: sample, head: index / shared),
                                        row: key.rowStride,
                                        column: 1
                                    ),
                                    v: HeadAttention.Rows(
                                        start: v + value.start(batch: sample, head: index / shared),
                                        row: value.rowStride
                                    ),
                                    adjustments: adjustments,
                                    into: y + result.start(batch: sample, head: index),
                                    row: result.rowStride
                                )
                            }
                        }
                    }
                }
            }
        }
        return y
    }
}

extension Attention {
    /// The kernel for one head; nil if it does not do what the attributes ask for.
    func kernel(width: Int, valueWidth: Int) -> HeadAttention? {
        guard softcap == 0, !usesDoubleSoftmax, window == (nil, nil) else { return nil }
        return HeadAttention(
            width: width,
            valueWidth: valueWidth,
            scaling: .factor(scale ?? 1 / Float(width).squareRoot()),
            cleaning: .emptyQueries
        )
    }

    /// What a mask of a type does to scores.
    static func adjustment(by type: ElementType) -> AttentionAdjustment {
        type == .bool ? .fill(where: false, -.infinity) : .add
    }
}

extension AttentionBias {
    /// Where the mask of a head of a sample stands.
    func place(batch: Int, head: Int) -> AttentionAdjustment.Place {
        AttentionAdjustment.Place(
            start: batch * view.strides[0] + head * view.strides[1],
            row: view.strides[2],
            column: view.strides[3]
        )
    }
}
