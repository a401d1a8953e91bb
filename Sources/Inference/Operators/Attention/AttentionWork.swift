import TensorCore

/// One evaluation of ``Attention``.
struct AttentionWork: RealWork {
    let attention: Attention
    let inputs: NodeInputs
    let batch: Int
    let query: HeadLayout
    /// Keys and values of this call.
    let key: HeadLayout
    let value: HeadLayout
    private let pastLength: Int
    let bias: AttentionBias

    init(_ attention: Attention, _ inputs: NodeInputs) throws(OperatorError) {
        self.attention = attention
        self.inputs = inputs
        let (q, k, v) = (try inputs[0].shape, try inputs[1].shape, try inputs[2].shape)
        guard k.rank == q.rank else { throw .unsupportedRank(k.rank, input: 1) }
        guard v.rank == q.rank else { throw .unsupportedRank(v.rank, input: 2) }
        query = try HeadLayout(q, heads: attention.queryHeads, attribute: "q_num_heads", input: 0)
        key = try HeadLayout(k, heads: attention.keyHeads, attribute: "kv_num_heads", input: 1)
        value = try HeadLayout(v, heads: attention.keyHeads, attribute: "kv_num_heads", input: 2)
        batch = q[0]
        for (axis, expected, actual) in [
            (0, batch, k[0]), (0, batch, v[0]), (1, key.heads, value.heads), (2, key.length, value.length),
            (3, query.width, key.width),
        ] where expected != actual {
            throw .shape(.dimensionMismatch(axis: axis, expected: expected, actual: actual))
        }
        guard key.heads > 0 ? query.heads % key.heads == 0 : query.heads == 0 else {
            throw .shape(.dimensionMismatch(axis: 1, expected: key.heads, actual: query.heads))
        }
        pastLength = try Self.pastLength(inputs, batch: batch, key: key, value: value)
        bias = try AttentionBias(
            attention,
            inputs,
            batch: batch,
            query: query,
            pastLength: pastLength,
            keyCount: pastLength + key.length
        )
    }

    /// Checks the keys and values of earlier calls and tells how many there are.
    private static func pastLength(
        _ inputs: NodeInputs,
        batch: Int,
        key: HeadLayout,
        value: HeadLayout
    ) throws(OperatorError) -> Int {
        guard let pastKey = inputs.optional(4) else {
            if inputs.optional(5) != nil { throw .missingInput(4) }
            return 0
        }
        let pastValue = try inputs[5]
        guard pastKey.shape.rank == 4 else { throw .unsupportedRank(pastKey.shape.rank, input: 4) }
        let length = pastKey.shape[2]
        for (past, layout) in [(pastKey, key), (pastValue, value)] {
            let expected = try Shape.checked([batch, layout.heads, length, layout.width])
            guard past.shape == expected else {
                throw .shape(.notBroadcastable(past.shape.dimensions, expected.dimensions))
            }
        }
        return length
    }

    func run<T: RealNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        if T.self == Float.self, let y = try fused() { return .one(y) }
        let total = pastLength + key.length
        var (k, v) = (try inputs[1], try inputs[2])
        var (keyLayout, valueLayout) = (key, value)
        // A cache is handed on head by head, whatever the layout of the inputs.
        if inputs.optional(4) != nil || inputs.outputCount > 1 {
            k = try present(k, key, past: inputs.optional(4))
            v = try present(v, value, past: inputs.optional(5))
            keyLayout = HeadLayout(heads: key.heads, length: total, width: key.width, isPacked: false)
            valueLayout = HeadLayout(heads: value.heads, length: total, width: value.width, isPacked: false)
        }
        let result = HeadLayout(
            heads: query.heads,
            length: query.length,
            width: value.width,
            isPacked: query.isPacked
        )
        var y = try inputs.makeTensor(T.elementType, result.shape(batch: batch))
        var shown: Tensor?
        if inputs.outputCount > 3 {
            let shape = try Shape.checked([batch, query.heads, query.length, total])
            shown = try inputs.makeTensor(T.elementType, shape)
        }
        // The fewer queries at a time the more keys there are.
        let block = max(1, min(64, query.length, (1 << 22) / max(total, 1)))
        var scratch = try inputs.makeTensor(T.elementType, Shape.checked([block, total]))
        let isEmpty = y.count == 0 && (shown?.count ?? 0) == 0
        let q = try inputs[0]
        guard !isEmpty else { return outputs(y, k, v, shown) }
        q.withPointer(to: T.self) { q in
            k.withPointer(to: T.self) { k in
                v.withPointer(to: T.self) { v in
                    y.withMutablePointer(to: T.self) { y in
                        scratch.withMutablePointer(to: T.self) { scores in
                            let rows = Rows(
                                q: q,
                                k: k,
                                v: v,
                                y: y,
                                scores: scores,
                                key: keyLayout,
                                value: valueLayout,
                                result: result,
                                block: block
                            )
                            guard shown != nil else { return attend(rows, shown: nil) }
                            shown?.withMutablePointer(to: T.self) { attend(rows, shown: $0) }
                        }
                    }
                }
            }
        }
        return outputs(y, k, v, shown)
    }

    private func outputs(_ y: Tensor, _ k: Tensor, _ v: Tensor, _ shown: Tensor?) -> NodeOutputs {
        guard inputs.outputCount > 1 else { return .one(y) }
        return .many([y, k, v] + (shown.map { [$0] } ?? []))
    }

    /// The keys or values of earlier calls and of this one, `[B, heads, total, width]`.
    private func present(
        _ tensor: Tensor,
        _ layout: HeadLayout,
        past: Tensor?
    ) throws(OperatorError) -> Tensor {
        let shape = try Shape.checked([batch, layout.heads, pastLength + layout.length, layout.width])
        let bytes = tensor.elementType.byteCount
        var result = try inputs.makeTensor(tensor.elementType, shape)
        let rowBytes = layout.width * bytes
        let pastBytes = pastLength * rowBytes
        result.withMutableRawPointer { target in
            var position = target
            for sample in 0..<batch {
                for head in 0..<layout.heads {
                    past?.withRawPointer {
                        let source = $0 + (sample * layout.heads + head) * pastBytes
                        position.copyMemory(from: source, byteCount: pastBytes)
                        position += pastBytes
                    }
                    tensor.withRawPointer { source in
                        var row = source + layout.start(batch: sample, head: head) * bytes
                        for _ in 0..<layout.length {
                            position.copyMemory(from: row, byteCount: rowBytes)
                            position += rowBytes
                            row += layout.rowStride * bytes
                        }
                    }
                }
            }
        }
        return result
    }

    /// The memory of one evaluation.
    private struct Rows<T: RealNumber> {
        let q: UnsafePointer<T>
        let k: UnsafePointer<T>
        let v: UnsafePointer<T>
        let y: UnsafeMutablePointer<T>
        let scores: UnsafeMutablePointer<T>
        let key: HeadLayout
        let value: HeadLayout
        let result: HeadLayout
        let block: Int
    }

    private func attend<T: RealNumber>(_ rows: Rows<T>, shown: UnsafeMutablePointer<T>?) {
        let total = rows.key.length
        let scale =
            attention.scale.map { T($0) } ?? (query.width > 0 ? 1 / T(query.width).squareRoot() : 1)
        let shared = query.heads / max(key.heads, 1)
        for sample in 0..<batch {
            for head in 0..<query.heads {
                let k = rows.k + rows.key.start(batch: sample, head: head / shared)
                let v = rows.v + rows.value.start(batch: sample, head: head / shared)
                for first in stride(from: 0, to: query.length, by: rows.block) {
                    let count = min(rows.block, query.length - first)
                    T.multiply(
                        transposeA: false,
                        transposeB: true,
                        m: count,
                        n: total,
                        k: query.width,
                        alpha: scale,
                        a: rows.q + query.start(batch: sample, head: head) + first * query.rowStride,
                        lda: query.rowStride,
                        b: k,
                        ldb: rows.key.rowStride,
                        c: rows.scores,
                        ldc: total
                    )
                    for row in 0..<count {
                        let place = (sample * query.heads + head) * query.length + first + row
                        weigh(
                            rows.scores + row * total,
                            shown: shown.map { $0 + place * total },
                            count: total,
                            (sample, head, first + row)
                        )
                    }
                    T.multiply(
                        transposeA: false,
                        transposeB: false,
                        m: count,
                        n: value.width,
                        k: total,
                        alpha: 1,
                        a: rows.scores,
                        lda: total,
                        b: v,
                        ldb: rows.value.rowStride,
                        c: rows.y + rows.result.start(batch: sample, head: head)
                            + first * rows.result.rowStride,
                        ldc: rows.result.rowStride
                    )
                }
            }
        }
    }

    /// Turns the scores of one query into probabilities.
    private func weigh<T: RealNumber>(
        _ scores: UnsafeMutablePointer<T>,
        shown: UnsafeMutablePointer<T>?,
        count: Int,
        _ place: (sample: Int, head: Int, query: Int)
    ) {
        func show(_ stage: Attention.ScoresOutput) {
            if attention.scoresOutput == stage { shown?.update(from: scores, count: count) }
        }
        show(.product)
        if attention.softcap > 0 {
            let cap = T(attention.softcap)
            for index in 0..<count { scores[index] = cap * T.hyperbolicTangent(scores[index] / cap) }
        }
        show(.softcapped)
        let keys = bias.keys(batch: place.sample, query: place.query)
        for index in 0..<keys.lowerBound { scores[index] = -.infinity }
        for index in keys.upperBound..<count { scores[index] = -.infinity }
        let isAnyLeft = bias.add(
            to: scores,
            keys: keys,
            batch: place.sample,
            head: place.head,
            query: place.query
        )
        show(.biased)
        // Scores of -inf alone have no largest one to compare with, whether a mask made them or the product.
        if isAnyLeft, keys.contains(where: { scores[$0] != -.infinity }) {
            let visible = scores + keys.lowerBound
            if attention.usesDoubleSoftmax {
                Self.doubleSoftmax(visible, count: keys.count)
            } else {
                T.softmax(visible, into: visible, outer: 1, axis: keys.count, inner: 1, logarithm: false)
            }
            for index in 0..<keys.lowerBound { scores[index] = 0 }
            for index in keys.upperBound..<count { scores[index] = 0 }
        } else {
            scores.update(repeating: 0, count: count)
        }
        show(.probabilities)
    }

    /// Probabilities in place, each rounded once.
    private static func doubleSoftmax<T: RealNumber>(_ scores: UnsafeMutablePointer<T>, count: Int) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: max(count, 1)) { wide in
            guard let wide = wide.baseAddress else { return }
            for index in 0..<count { (wide + index).initialize(to: Double(scores[index])) }
            Double.softmax(wide, into: wide, outer: 1, axis: count, inner: 1, logarithm: false)
            for index in 0..<count { scores[index] = T(wide[index]) }
        }
    }
}
