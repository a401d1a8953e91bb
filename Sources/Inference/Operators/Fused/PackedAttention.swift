import ONNXGraph

/// Attention of onnxruntime: one product for queries, keys and values, then attention by heads.
///
/// `[Q, K, V] = input * weights + bias`, input `[B, L, H]`. Keys and values of earlier
/// positions are `[2, B, heads, past, width]`. With `do_rotary` the two halves of each head of queries and keys, or of its first
/// `rotary_embedding_dim` elements, are turned by angles that count from the past on.
enum PackedAttention {
    static func expand(_ node: inout FusedNode) throws(OperatorError) {
        try node.reader.expectInputs(2...6)
        try node.refuseOutputs(from: 2)
        if try node.reader.flag("past_present_share_buffer", default: false) {
            throw .attributeValue("past_present_share_buffer")
        }
        let isRotated = try node.reader.flag("do_rotary", default: false)
        let rotated = try node.reader.int("rotary_embedding_dim", default: 0)
        let input = try node.required(0)
        let product = node.put("MatMul", [input, try node.required(1)])
        let all = node.sum(product, node.input(2))
        let sizes = try node.reader.ints("qkv_hidden_sizes")
        let axis = Attribute("axis", .int(-1))
        var parts: [String]
        if let sizes, !sizes.isEmpty {
            guard sizes.count == 3 else { throw .attributeValue("qkv_hidden_sizes") }
            let lengths = node.constant(.ints(sizes.map { Int64($0) }))
            parts = node.put("Split", [all, lengths], [axis], outputs: [nil, nil, nil])
        } else {
            let count = Attribute("num_outputs", .int(3))
            parts = node.put("Split", [all], [axis, count], outputs: [nil, nil, nil])
        }
        let heads = try AttentionHeads(&node)
        var past: AttentionHeads.Cache?
        if let both = node.input(4) {
            let first = Attribute("axis", .int(0))
            let (zero, one) = (node.constant(.int(0)), node.constant(.int(1)))
            past = AttentionHeads.Cache(
                key: node.put("Gather", [both, zero], [first]),
                value: node.put("Gather", [both, one], [first])
            )
        }
        if isRotated { heads.rotate(&parts, width: rotated, past: past?.key, in: &node) }
        let mask = heads.mask(
            of: node.input(3),
            query: input,
            key: input,
            past: past?.key,
            adding: node.input(5),
            in: &node
        )
        let present = heads.put(parts, mask: mask, past: past, in: &node)
        guard let output = node.output(1) else { return }
        let axes = node.constant(.ints([0]))
        let both = [present.key, present.value].map { node.put("Unsqueeze", [$0, axes]) }
        node.put("Concat", both, [Attribute("axis", .int(0))], to: output)
    }
}

/// What Attention and MultiHeadAttention have in common: heads, scale, masks.
struct AttentionHeads {
    /// The names of the keys and values of earlier positions, `[B, heads, past, width]`, or of all.
    struct Cache {
        let key: String
        let value: String
    }

    private let count: Int
    private let scale: Float
    private let isCausal: Bool
    private let filter: Float

    init(_ node: inout FusedNode) throws(OperatorError) {
        guard let count = try node.reader.int("num_heads") else { throw .missingAttribute("num_heads") }
        guard count > 0 else { throw .attributeValue("num_heads") }
        self.count = count
        scale = try node.reader.float("scale", default: 0)
        isCausal = try node.reader.flag("unidirectional", default: false)
        filter = try node.reader.float("mask_filter_value", default: -10_000)
    }

    /// Turns queries and keys by the angles of their positions.
    func rotate(_ parts: inout [String], width: Int, past: String?, in node: inout FusedNode) {
        let attributes = [
            Attribute("num_heads", .int(Int64(count))), Attribute("rotary_embedding_dim", .int(Int64(width))),
        ]
        for index in 0..<2 {
            let angles = node.put(
                "RotaryAngles",
                [parts[index]] + (past.map { [$0] } ?? []),
                attributes,
                domain: OperatorRegistry.ownDomain,
                outputs: [nil, nil]
            )
            parts[index] = node.put("RotaryEmbedding", [parts[index]] + angles, attributes)
        }
    }

    /// What is added to the scores for a mask and a bias, nil if there is neither.
    func mask(
        of mask: String?,
        query: String,
        key: String,
        past: String? = nil,
        adding bias: String?,
        in node: inout FusedNode
    ) -> String? {
        guard let mask else { return bias }
        let attributes = [Attribute("filter", .float(filter))]
        let addend = node.put(
            "AttentionMask",
            [mask, query, key] + (past.map { [$0] } ?? []),
            attributes,
            domain: OperatorRegistry.ownDomain
        )
        return node.sum(addend, bias)
    }

    /// Appends the attention of queries, keys and values `[B, L, heads * width]`.
    ///
    /// - Returns: All keys and values, those of the past first; under the given names, if there are any.
    @discardableResult
    func put(
        _ parts: [String],
        mask: String?,
        past: Cache? = nil,
        present: (key: String?, value: String?) = (nil, nil),
        in node: inout FusedNode
    ) -> Cache {
        var attributes = [
            Attribute("q_num_heads", .int(Int64(count))), Attribute("kv_num_heads", .int(Int64(count))),
        ]
        if isCausal { attributes.append(Attribute("is_causal", .int(1))) }
        // 0 stands for the usual scale.
        if scale != 0 { attributes.append(Attribute("scale", .float(scale))) }
        var inputs = parts + [mask ?? ""]
        if let past { inputs += [past.key, past.value] }
        let outputs = [node.output(0), present.key, present.value]
        let results = node.put("Attention", inputs, attributes, outputs: outputs)
        return Cache(key: results[1], value: results[2])
    }
}
