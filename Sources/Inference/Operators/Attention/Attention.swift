import FoundationEssentials
import TensorCore

/// Attention: `softmax(scale * Q * K' + bias) * V`, for each sample and head, of opsets 23 and newer.
///
/// Q, K and V are `[B, heads, L, width]` or `[B, L, heads * width]`; several query heads may share one head of keys.
/// The bias is a mask that is added, or bools of which false forbids, and what `is_causal`, windows and the number of
/// valid keys allow. A query that may see no key gives zeros.
///
/// Scores are kept for a few queries at a time, so memory grows with the number of keys alone, unless the scores are
/// asked for as an output. 16-bit floats are computed in float32, which is no less than any `softmax_precision` that
/// names one of them; one that names float64 is kept.
struct Attention: Operator {
    /// Which stage of the scores the last output shows.
    enum ScoresOutput: Int, Sendable { case product, softcapped, biased, probabilities }

    let scale: Float?
    let softcap: Float
    let isCausal: Bool
    let queryHeads: Int?
    let keyHeads: Int?
    let scoresOutput: ScoresOutput
    /// How many positions before and behind its own a query sees; nil for all.
    let window: (left: Int?, right: Int?)
    /// Whether a mask with fewer keys than there are forbids the others.
    let padsMask: Bool
    /// Whether probabilities are computed in float64 whatever the type.
    let usesDoubleSoftmax: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...(reader.opset < 24 ? 6 : 7))
        try reader.expectOutputs(1...4)
        scale = try reader.float("scale")
        softcap = try reader.float("softcap", default: 0)
        isCausal = try reader.flag("is_causal", default: false)
        queryHeads = try reader.int("q_num_heads")
        keyHeads = try reader.int("kv_num_heads")
        for (name, heads) in [("q_num_heads", queryHeads), ("kv_num_heads", keyHeads)] {
            if let heads, heads < 1 { throw .attributeValue(name) }
        }
        guard let stage = ScoresOutput(rawValue: try reader.int("qk_matmul_output_mode", default: 0)) else {
            throw .attributeValue("qk_matmul_output_mode")
        }
        scoresOutput = stage
        let precision = try reader.int("softmax_precision")
        guard precision.map({ [1, 10, 11, 16].contains($0) }) ?? true else {
            throw .attributeValue("softmax_precision")
        }
        usesDoubleSoftmax = precision == 11
        var window: (left: Int?, right: Int?)
        if reader.opset >= 25 {
            window.left = try Self.windowSize("left_window_size", &reader)
            window.right = try Self.windowSize("right_window_size", &reader)
        }
        self.window = window
        padsMask = reader.opset >= 24
    }

    /// The same attention of heads that lie side by side.
    private init(_ other: Attention, queryHeads: Int, keyHeads: Int) {
        scale = other.scale
        softcap = other.softcap
        isCausal = other.isCausal
        self.queryHeads = queryHeads
        self.keyHeads = keyHeads
        scoresOutput = other.scoresOutput
        window = other.window
        padsMask = other.padsMask
        usesDoubleSoftmax = other.usesDoubleSoftmax
    }

    private static func windowSize(
        _ name: String,
        _ reader: inout AttributeReader
    ) throws(OperatorError) -> Int? {
        let size = try reader.int(name, default: -1)
        guard size >= -1, size < 1 << 31 else { throw .attributeValue(name) }
        return size < 0 ? nil : size
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let query = try inputs[0]
        for index in [1, 2, 4, 5] {
            guard let tensor = inputs.optional(index) else { continue }
            guard tensor.elementType == query.elementType else {
                throw .elementTypesDiffer(query.elementType, tensor.elementType)
            }
        }
        return try AttentionWork(self, inputs).run(for: query.elementType, input: 0)
    }
}

extension Attention: RaggedOperator {
    /// What queries, keys or values are for a sequence alone.
    private struct Part {
        let heads: Int
        let width: Int
        let length: Number

        init(_ x: ValueFacts, heads: Int?) throws(NoRule) {
            guard x.rank == 3 || x.rank == 4, x.extents[0] == .integer(1), let last = x.constant(x.rank - 1),
                let count = x.rank == 4 ? x.constant(1) : heads, count > 0, heads ?? count == count,
                x.rank == 4 || last % count == 0
            else { throw NoRule("the heads are unknown") }
            self.heads = count
            width = x.rank == 4 ? last : last / count
            length = x.extents[x.rank - 2]
        }
    }

    private func parts(_ inputs: NodeFacts) throws(NoRule) -> (q: Part, k: Part, v: Part) {
        let (q, k, v) = (try inputs[0], try inputs[1], try inputs[2])
        guard k.rank == q.rank, v.rank == q.rank, k.elementType == q.elementType,
            v.elementType == q.elementType, inputs.outputCount == 1, inputs.optional(4) == nil,
            inputs.optional(5) == nil
        else { throw NoRule("there are keys of earlier positions, or other outputs") }
        return (
            try Part(q, heads: queryHeads), try Part(k, heads: keyHeads), try Part(v, heads: keyHeads)
        )
    }

    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        let (q, _, v) = try parts(inputs)
        let extents: [Number] =
            x.rank == 3
            ? [.integer(1), q.length, .integer(q.heads * v.width)]
            : [.integer(1), .integer(q.heads), q.length, .integer(v.width)]
        return [try inputs.made(x.elementType, extents)]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let (q, k, v) = try parts(packing.known)
        guard case .length(let queries) = q.length, case .length(let keys) = k.length, v.length == k.length
        else { throw NoRule("the positions are not those of the sequence") }
        if packing.isPresent(6) {
            guard try packing.input(6).number == k.length, q.length == k.length else {
                throw NoRule("the number of valid keys is not known to be that of all")
            }
        }
        let operands = [
            try packing.view(packing.rows(0), as: [q.heads * q.width]),
            try packing.view(packing.rows(1), as: [k.heads * k.width]),
            try packing.view(packing.rows(2), as: [v.heads * v.width]),
            packing.offsets(queries), packing.offsets(keys),
        ]
        let rows: PlanGraph.ValueID
        let isShared = k.heads == v.heads && q.heads % k.heads == 0 && q.width == k.width
        if isShared, try packing.input(0).elementType == .float32,
            let head = kernel(width: q.width, valueWidth: v.width)
        {
            let adjusting = try mask(packing, q, k).map { (mask) throws(NoRule) in
                let adjustment = Self.adjustment(by: mask.elementType)
                return try packing.adjusting(
                    adjustment,
                    3,
                    scoresRank: 4,
                    headAxes: q.heads > 1 ? [1] : []
                )
            }
            let attention = SegmentAttention(
                heads: q.heads,
                keyHeads: k.heads,
                head: head,
                steps: adjusting.map { [$0.step] } ?? [],
                hidesLater: isCausal
            )
            rows = packing.emit(attention, operands + (adjusting.map { [$0.rows] } ?? []))
        } else {
            if let facts = try mask(packing, q, k),
                facts.timeAxis != facts.rank - 1 || !facts.features.isEmpty
            {
                throw NoRule("the mask differs from query to query")
            }
            let segments = SegmentedAttention(
                attention: Attention(self, queryHeads: q.heads, keyHeads: k.heads),
                width: q.heads * v.width
            )
            rows = packing.emit(segments, operands + [try mask(packing, q, k) == nil ? nil : packing.rows(3)])
        }
        return [try packing.view(rows, as: packing.outputs[0].features)]
    }

    /// What is known of the mask; nil if it changes nothing.
    private func mask(_ packing: NodePacking, _ q: Part, _ k: Part) throws(NoRule) -> ValueFacts? {
        guard packing.isPresent(3) else { return nil }
        let facts = try packing.input(3)
        let scores = [.integer(1), .integer(q.heads), q.length, k.length]
        guard try ValueFacts.broadcast(facts.extents, scores) == scores, let last = facts.extents.last,
            last == k.length || !padsMask
        else { throw NoRule("the mask has another shape") }
        guard let uniform = facts.uniform else { return facts }
        let isOpen = uniform.elementType == .bool ? uniform.isTrue : Scalar(uniform)?.integer == 0
        guard isOpen else { throw NoRule("the mask forbids every key") }
        return nil
    }
}

/// Attention of every sequence to itself, heads side by side.
///
/// Inputs: queries, keys and values `[R, heads * width]`, the offsets of the sequences in the queries, those in keys and values,
/// and a mask `[R]` of the keys if there is one.
private struct SegmentedAttention: Operator {
    let attention: Attention
    /// The elements of a row of the result.
    let width: Int

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let (q, k, v) = (try inputs[0], try inputs[1], try inputs[2])
        for (index, tensor) in [q, k, v].enumerated() where tensor.shape.rank != 2 {
            throw .unsupportedRank(tensor.shape.rank, input: index)
        }
        let from = try Segments(inputs[3], rows: q.shape[0])
        let to = try Segments(inputs[4], rows: k.shape[0])
        let mask = inputs.optional(5)
        guard from.count == to.count, v.shape[0] == k.shape[0],
            mask.map({ $0.shape.dimensions == [k.shape[0]] }) ?? true
        else { throw .inputValue(input: 4) }
        var y = try inputs.makeTensor(q.elementType, Shape.checked([q.shape[0], width]))
        for index in 0..<from.count {
            let (queries, keys) = (from[index], to[index])
            let result = try NodeInputs.evaluate(
                attention,
                [
                    try Self.sample(q, queries), try Self.sample(k, keys), try Self.sample(v, keys),
                    try mask.map { (mask) throws(OperatorError) in
                        try mask.slice(keys).viewed(as: Shape.checked([1, keys.count]))
                    },
                ],
                outputCount: 1,
                budget: inputs.budget
            )
            guard case .one(let rows) = result, rows.count == queries.count * width else {
                throw .inputValue(input: 0)
            }
            let start = queries.lowerBound * width * q.elementType.byteCount
            rows.withRawPointer { rows in
                y.withMutableRawPointer {
                    ($0 + start).copyMemory(
                        from: rows,
                        byteCount: queries.count * width * q.elementType.byteCount
                    )
                }
            }
        }
        return .one(y)
    }

    /// The rows of one sequence, `[1, L, heads * width]`.
    private static func sample(_ rows: Tensor, _ range: Range<Int>) throws(OperatorError) -> Tensor {
        try rows.slice(range).viewed(as: Shape.checked([1, range.count, rows.shape[1]]))
    }
}
