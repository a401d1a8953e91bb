import Kernels
import TensorCore

/// MatMul, a scale, biases, masks, Softmax and MatMul as one: `softmax(s * Q K + b) V`, with the bits of those one after the
/// other.
///
/// Inputs: Q `[..., queries, width]`, K `[..., width, keys]`, V `[..., keys, values]`, and a tensor for each adjustment, which is
/// broadcast to `[..., queries, keys]`. Scores are made for a few queries of one head at a time.
struct ScaledAttention: Operator {
    /// An operand of a node it stands for.
    enum Operand: Sendable {
        /// What the node before gives.
        case value
        case constant(Tensor)
        case input(Int)
    }

    typealias Part = (computation: any Operator, operands: [Operand])

    /// The number of inputs before those of adjustments.
    static let adjustmentInput = 3

    let scaling: HeadAttention.Scaling
    /// The axis of the softmax as it is written.
    let axis: Int
    /// In order; input 3 is of the first.
    let adjustments: [AttentionAdjustment]
    let cleaning: HeadAttention.Cleaning
    /// The nodes it stands for, for shapes and types that have no faster form; the first value is Q.
    let parts: [Part]

    private func isAlongLastAxis(rank: Int) -> Bool { axis == -1 || axis == rank - 1 }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let (q, k, v) = (try inputs[0], try inputs[1], try inputs[2])
        let rank = q.shape.rank
        guard rank >= 2, isAlongLastAxis(rank: rank), k.shape.rank == rank, v.shape.rank == rank,
            [q, k, v].allSatisfy({ $0.elementType == .float32 && $0.count > 0 }),
            (0..<rank - 2).allSatisfy({ q.shape[$0] == k.shape[$0] && q.shape[$0] == v.shape[$0] }),
            q.shape[rank - 1] == k.shape[rank - 2], k.shape[rank - 1] == v.shape[rank - 2]
        else { return try plain(inputs) }
        let scores = try shaped { () throws(ShapeError) in
            try q.shape.replacing(axis: rank - 1, by: k.shape[rank - 1])
        }
        var adjusting: [(tensor: Tensor, view: StridedView)] = []
        for (index, adjustment) in adjustments.enumerated() {
            let tensor = try inputs[Self.adjustmentInput + index]
            guard tensor.elementType == adjustment.elementType,
                (try? tensor.shape.broadcasting(scores)) == scores
            else { return try plain(inputs) }
            adjusting.append((tensor, StridedView(tensor.shape, broadcastTo: scores)))
        }
        return try attend(inputs, scores, adjusting)
    }

    /// All heads, one after the other.
    private func attend(
        _ inputs: NodeInputs,
        _ scores: Shape,
        _ adjusting: [(tensor: Tensor, view: StridedView)]
    ) throws(OperatorError) -> NodeOutputs {
        let (q, k, v) = (try inputs[0], try inputs[1], try inputs[2])
        let rank = scores.rank
        let (queries, keys) = (scores[rank - 2], scores[rank - 1])
        let (width, values) = (q.shape[rank - 1], v.shape[rank - 1])
        let head = HeadAttention(width: width, valueWidth: values, scaling: scaling, cleaning: cleaning)
        let shape = try shaped { () throws(ShapeError) in try q.shape.replacing(axis: rank - 1, by: values) }
        let count = shape.elementCount(of: 0..<rank - 2)
        return .one(
            try inputs.makeTensor(of: Float.self, shape) { y in
                q.withPointer(to: Float.self) { q in
                    k.withPointer(to: Float.self) { k in
                        v.withPointer(to: Float.self) { v in
                            AttentionAdjustment.withElements(adjusting.map(\.tensor)[...]) { elements in
                                for index in 0..<count {
                                    head.apply(
                                        queryCount: queries,
                                        keyCount: keys,
                                        q: HeadAttention.Rows(start: q + index * queries * width, row: width),
                                        k: HeadAttention.Keys(
                                            start: k + index * width * keys,
                                            row: 1,
                                            column: keys
                                        ),
                                        v: HeadAttention.Rows(
                                            start: v + index * keys * values,
                                            row: values
                                        ),
                                        adjustments: adjustments.indices.map {
                                            let place = Self.place(adjusting[$0].view, scores, head: index)
                                            return adjustments[$0].ofHead(elements[$0], place)
                                        },
                                        into: y + index * queries * values,
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

    /// Where the elements for one head stand, counted over all leading axes.
    private static func place(_ view: StridedView, _ scores: Shape, head: Int)
        -> AttentionAdjustment.Place
    {
        let rank = scores.rank
        var (start, left) = (0, head)
        for axis in (0..<rank - 2).reversed() {
            start += left % scores[axis] * view.strides[axis]
            left /= scores[axis]
        }
        return AttentionAdjustment.Place(
            start: start,
            row: view.strides[rank - 2],
            column: view.strides[rank - 1]
        )
    }

    /// The nodes one after the other.
    private func plain(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var value = try inputs[0]
        for part in parts {
            var arguments: [Tensor] = []
            for operand in part.operands {
                switch operand {
                case .value: arguments.append(value)
                case .constant(let constant): arguments.append(constant)
                case .input(let index): arguments.append(try inputs[index])
                }
            }
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
        guard isAlongLastAxis(rank: rank) else { throw NoRule("the softmax is not over keys") }
        guard rank >= 2, k.rank == rank, v.rank == rank, q.extents[rank - 1] == k.extents[rank - 2],
            k.extents[rank - 1] == v.extents[rank - 2]
        else { throw NoRule("inner lengths differ") }
        var lead = Array(q.extents.dropLast(2))
        for other in [k, v] { lead = try ValueFacts.broadcast(lead, Array(other.extents.dropLast(2))) }
        let scores = lead + [q.extents[rank - 2], k.extents[rank - 1]]
        for (index, adjustment) in adjustments.enumerated() {
            let tensor = try inputs[Self.adjustmentInput + index]
            guard tensor.elementType == adjustment.elementType,
                try ValueFacts.broadcast(tensor.extents, scores) == scores
            else { throw NoRule("what adjusts the scores is larger than they are") }
        }
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
        let headAxes = q.featureAxes.filter { $0 < rank - 1 }
        var adjusting: [(rows: PlanGraph.ValueID, step: SegmentAttention.Step)] = []
        for index in adjustments.indices {
            let input = Self.adjustmentInput + index
            adjusting.append(
                try packing.adjusting(adjustments[index], input, scoresRank: rank, headAxes: headAxes)
            )
        }
        let heads = headAxes.compactMap { q.constant($0) }.reduce(1, *)
        let attention = SegmentAttention(
            heads: heads,
            keyHeads: heads,
            head: HeadAttention(width: width, valueWidth: values, scaling: scaling, cleaning: cleaning),
            steps: adjusting.map(\.step),
            hidesLater: false
        )
        let rows = packing.emit(
            attention,
            [
                try packing.rows(0), try packing.rows(1), try packing.rows(2), packing.offsets(queries),
                packing.offsets(keys),
            ] + adjusting.map(\.rows)
        )
        return [try packing.view(rows, as: packing.outputs[0].features)]
    }
}
