import ONNXGraph

/// Attention of onnxruntime: one product for queries, keys and values, then attention by heads.
///
/// `[Q, K, V] = input * weights + bias`, input `[B, L, H]`. Caches of earlier keys and rotated positions are refused.
enum PackedAttention {
    static func expand(_ node: inout FusedNode) throws(OperatorError) {
        try node.reader.expectInputs(2...6)
        try node.refuseInputs(4...4)
        try node.refuseOutputs(from: 1)
        for name in ["do_rotary", "past_present_share_buffer", "rotary_embedding_dim"] {
            if try node.reader.int(name, default: 0) != 0 { throw .attributeValue(name) }
        }
        let input = try node.required(0)
        let product = node.put("MatMul", [input, try node.required(1)])
        let all = node.sum(product, node.input(2))
        let sizes = try node.reader.ints("qkv_hidden_sizes")
        let axis = Attribute("axis", .int(-1))
        let parts: [String]
        if let sizes, !sizes.isEmpty {
            guard sizes.count == 3 else { throw .attributeValue("qkv_hidden_sizes") }
            let lengths = node.constant(.ints(sizes.map { Int64($0) }))
            parts = node.put("Split", [all, lengths], [axis], outputs: [nil, nil, nil])
        } else {
            let count = Attribute("num_outputs", .int(3))
            parts = node.put("Split", [all], [axis, count], outputs: [nil, nil, nil])
        }
        let heads = try AttentionHeads(&node)
        let mask = heads.mask(of: node.input(3), query: input, key: input, adding: node.input(5), in: &node)
        heads.put(parts, mask: mask, in: &node)
    }
}

/// What Attention and MultiHeadAttention have in common: heads, scale, masks.
struct AttentionHeads {
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

    /// What is added to the scores for a mask and a bias, nil if there is neither.
    func mask(
        of mask: String?,
        query: String,
        key: String,
        adding bias: String?,
        in node: inout FusedNode
    ) -> String? {
        guard let mask else { return bias }
        let attributes = [Attribute("filter", .float(filter))]
        let addend = node.put(
            "AttentionMask",
            [mask, query, key],
            attributes,
            domain: OperatorRegistry.ownDomain
        )
        return node.sum(addend, bias)
    }

    /// Appends the attention of queries, keys and values `[B, L, heads * width]`.
    func put(_ parts: [String], mask: String?, in node: inout FusedNode) {
        var attributes = [
            Attribute("q_num_heads", .int(Int64(count))), Attribute("kv_num_heads", .int(Int64(count))),
        ]
        if isCausal { attributes.append(Attribute("is_causal", .int(1))) }
        // 0 stands for the usual scale.
        if scale != 0 { attributes.append(Attribute("scale", .float(scale))) }
        node.put("Attention", parts + (mask.map { [$0] } ?? []), attributes, to: node.output(0))
    }
}
