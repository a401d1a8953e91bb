import Kernels
import TensorCore

/// MatMul, a scale, Softmax and MatMul as one: `softmax(s * Q K) V`, with the bits of the four one after the other.
///
/// Inputs: Q `[..., queries, width]`, K `[..., width, keys]`, V `[..., keys, values]`. Scores are made for a few queries of one head
/// at a time.
struct ScaledAttention: Operator {
    let scaling: HeadAttention.Scaling
    /// The nodes it stands for, for shapes and types that have no faster form; a scale's second input comes with it.
    let parts: [(computation: any Operator, constant: Tensor?)]

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let (q, k, v) = (try inputs[0], try inputs[1], try inputs[2])
        let rank = q.shape.rank
        guard rank >= 2, k.shape.rank == rank, v.shape.rank == rank,
            [q, k, v].allSatisfy({ $0.elementType == .float32 && $0.count > 0 }),
            (0..<rank - 2).allSatisfy({ q.shape[$0] == k.shape[$0] && q.shape[$0] == v.shape[$0] }),
            q.shape[rank - 1] == k.shape[rank - 2], k.shape[rank - 1] == v.shape[rank - 2]
        else { return try plain(q, k, v, inputs) }
        let (queries, keys) = (q.shape[rank - 2], k.shape[rank - 1])
        let (width, values) = (q.shape[rank - 1], v.shape[rank - 1])
        let head = HeadAttention(width: width, valueWidth: values, scaling: scaling)
        let shape = try shaped { () throws(ShapeError) in try q.shape.replacing(axis: rank - 1, by: values) }
        return .one(
            try inputs.makeTensor(of: Float.self, shape) { y in
                q.withPointer(to: Float.self) { q in
                    k.withPointer(to: Float.self) { k in
                        v.withPointer(to: Float.self) { v in
                            for index in 0..<shape.elementCount(of: 0..<rank - 2) {
                                head.apply(
                                    queryCount: queries,
                                    keyCount: keys,
                                    q: HeadAttention.Rows(start: q + index * queries * width, row: width),
                                    k: HeadAttention.Keys(
                                        start: k + index * width * keys,
                                        row: 1,
                                        column: keys
                                    ),
                                    v: HeadAttention.Rows(start: v + index * keys * values, row: values),
                                    into: y + index * queries * values,
                                    row: values
                                )
                            }
                        }
                    }
                }
            }
        )
    }

    /// The nodes one after the other.
    private func plain(
        _ q: Tensor,
        _ k: Tensor,
        _ v: Tensor,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> NodeOutputs {
        var value = q
        for (index, part) in parts.enumerated() {
            let second = index == 0 ? k : index == parts.count - 1 ? v : part.constant
            let arguments = second.map { [value, $0] } ?? [value]
            let result = try NodeInputs.evaluate(
                part.computation,
                arguments,
                outputCount: 1,
                budget: inputs.budget
            )
            switch result {
            case .one(let tensor): value = tensor
            case .many(let tensors) where !tensors.isEmpty: value = tensors[0]
            case .many, .values: throw .missingInput(0)
            }
        }
        return .one(value)
    }
}

extension ScaledAttention: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let (q, k, v) = (try inputs[0], try inputs[1], try inputs[2])
        let rank = q.rank
        guard [q, k, v].allSatisfy({ $0.elementType == .float32 }) else { throw NoRule("not float32") }
        guard rank >= 2, k.rank == rank, v.rank == rank, q.extents[rank - 1] == k.extents[rank - 2],
            k.extents[rank - 1] == v.extents[rank - 2]
        else { throw NoRule("inner lengths differ") }
        var lead = Array(q.extents.dropLast(2))
        for other in [k, v] { lead = try ValueFacts.broadcast(lead, Array(other.extents.dropLast(2))) }
        return [try inputs.made(.float32, lead + [q.extents[rank - 2], v.extents[rank - 1]])]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let (q, k, v) = (try packing.input(0), try packing.input(1), try packing.input(2))
        let rank = q.rank
        guard let queries = q.time, let keys = k.time, q.timeAxis == rank - 2, k.timeAxis == rank - 1,
            v.timeAxis == rank - 2, let width = q.constant(rank - 1), let values = v.constant(rank - 1)
        else { throw NoRule("the positions are not those of the sequence") }
        guard q.extents.dropLast(2) == k.extents.dropLast(2), q.extents.dropLast(2) == v.extents.dropLast(2)
        else { throw NoRule("heads differ") }
        let heads = q.featureAxes.filter { $0 < rank - 1 }.compactMap { q.constant($0) }
        let attention = SegmentAttention(
            heads: heads.reduce(1, *),
            head: HeadAttention(width: width, valueWidth: values, scaling: scaling)
        )
        let rows = packing.emit(
            attention,
            [
                try packing.rows(0), try packing.rows(1), try packing.rows(2), packing.offsets(queries),
                packing.offsets(keys),
            ]
        )
        return [try packing.view(rows, as: packing.outputs[0].features)]
    }
}
