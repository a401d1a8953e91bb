import Kernels
import TensorCore

/// MatMul, a scale, a bias, Softmax and MatMul as one: `softmax(s * Q K + b) V`, with the bits of those one after the other.
///
/// Inputs: Q `[..., queries, width]`, K `[..., width, keys]`, V `[..., keys, values]`, and a bias if there is one, which is broadcast
/// to `[..., queries, keys]`. Scores are made for a few queries of one head at a time.
struct ScaledAttention: Operator {
    /// The second operand of a node it stands for.
    enum Second: Sendable {
        case none
        case constant(Tensor)
        case input(Int)
    }

    typealias Part = (computation: any Operator, second: Second)

    let scaling: HeadAttention.Scaling
    /// The nodes it stands for, for shapes and types that have no faster form.
    let parts: [Part]

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let (q, k, v) = (try inputs[0], try inputs[1], try inputs[2])
        let rank = q.shape.rank
        guard rank >= 2, k.shape.rank == rank, v.shape.rank == rank,
            [q, k, v].allSatisfy({ $0.elementType == .float32 && $0.count > 0 }),
            (0..<rank - 2).allSatisfy({ q.shape[$0] == k.shape[$0] && q.shape[$0] == v.shape[$0] }),
            q.shape[rank - 1] == k.shape[rank - 2], k.shape[rank - 1] == v.shape[rank - 2]
        else { return try plain(inputs) }
        let scores = try shaped { () throws(ShapeError) in
            try q.shape.replacing(axis: rank - 1, by: k.shape[rank - 1])
        }
        guard let bias = inputs.optional(3) else { return try attend(inputs, scores, nil) }
        guard bias.elementType == .float32, (try? bias.shape.broadcasting(scores)) == scores else {
            return try plain(inputs)
        }
        let view = StridedView(bias.shape, broadcastTo: scores)
        return try bias.withPointer(to: Float.self) { (start) throws(OperatorError) in
            try attend(inputs, scores, (start, view))
        }
    }

    /// All heads, one after the other.
    private func attend(
        _ inputs: NodeInputs,
        _ scores: Shape,
        _ bias: (start: UnsafePointer<Float>, view: StridedView)?
    ) throws(OperatorError) -> NodeOutputs {
        let (q, k, v) = (try inputs[0], try inputs[1], try inputs[2])
        let rank = scores.rank
        let (queries, keys) = (scores[rank - 2], scores[rank - 1])
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
                                    bias: bias.map { Self.bias($0.start, $0.view, scores, head: index) },
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

    /// The bias of one head, counted over all leading axes.
    private static func bias(
        _ start: UnsafePointer<Float>,
        _ view: StridedView,
        _ scores: Shape,
        head: Int
    ) -> HeadAttention.Bias {
        let rank = scores.rank
        var (place, left) = (0, head)
        for axis in (0..<rank - 2).reversed() {
            place += left % scores[axis] * view.strides[axis]
            left /= scores[axis]
        }
        return HeadAttention.Bias(
            start: start + place,
            row: view.strides[rank - 2],
            column: view.strides[rank - 1]
        )
    }

    /// The nodes one after the other.
    private func plain(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var value = try inputs[0]
        for part in parts {
            var arguments = [value]
            switch part.second {
            case .none: break
            case .constant(let constant): arguments.append(constant)
            case .input(let index): arguments.append(try inputs[index])
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
        guard rank >= 2, k.rank == rank, v.rank == rank, q.extents[rank - 1] == k.extents[rank - 2],
            k.extents[rank - 1] == v.extents[rank - 2]
        else { throw NoRule("inner lengths differ") }
        var lead = Array(q.extents.dropLast(2))
        for other in [k, v] { lead = try ValueFacts.broadcast(lead, Array(other.extents.dropLast(2))) }
        if let bias = inputs.optional(3) {
            let scores = lead + [q.extents[rank - 2], k.extents[rank - 1]]
            guard bias.elementType == .float32, try ValueFacts.broadcast(bias.extents, scores) == scores
            else {
                throw NoRule("the bias is larger than the scores")
            }
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
        let bias = try self.bias(packing, rank: rank, headAxes: headAxes)
        let attention = SegmentAttention(
            heads: headAxes.compactMap { q.constant($0) }.reduce(1, *),
            head: HeadAttention(width: width, valueWidth: values, scaling: scaling),
            bias: bias?.kind
        )
        let rows = packing.emit(
            attention,
            [
                try packing.rows(0), try packing.rows(1), try packing.rows(2), packing.offsets(queries),
                packing.offsets(keys), bias?.rows,
            ]
        )
        return [try packing.view(rows, as: packing.outputs[0].features)]
    }

    /// The bias as rows, and what a row is for.
    private func bias(
        _ packing: NodePacking,
        rank: Int,
        headAxes: [Int]
    ) throws(NoRule) -> (rows: PlanGraph.ValueID, kind: SegmentAttention.BiasKind)? {
        guard packing.isPresent(3) else { return nil }
        let facts = try packing.input(3)
        let lead = rank - facts.rank
        let isPerHead = !facts.features.isEmpty
        guard facts.timeAxes.count <= 1 else { throw NoRule("the bias differs from query to query") }
        guard !isPerHead || facts.featureAxes.map({ $0 + lead }) == headAxes else {
            throw NoRule("the bias is not one of each head")
        }
        guard let axis = facts.timeAxis else {
            let isShared = packing.known.constant(3) != nil || facts.uniform != nil
            return (
                try packing.sequenceValue(3),
                isShared ? .constant(isPerHead: isPerHead) : .sequences(isPerHead: isPerHead)
            )
        }
        let rows = try packing.rows(3)
        return (
            rows, axis + lead == rank - 1 ? .keys(isPerHead: isPerHead) : .queries(isPerHead: isPerHead)
        )
    }
}
