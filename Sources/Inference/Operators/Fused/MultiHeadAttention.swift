import ONNXGraph

/// MultiHeadAttention of onnxruntime: attention by heads of queries, keys and values that are `[B, L, heads * width]`.
///
/// The bias, if there is one, is that of queries, keys and values one after the other. Keys and
/// values of earlier positions are `[B, heads, past, width]`. Packed inputs are refused.
enum MultiHeadAttention {
    static func expand(_ node: inout FusedNode) throws(OperatorError) {
        try node.reader.expectInputs(3...8)
        try node.refuseOutputs(from: 3)
        var parts = [try node.required(0), try node.required(1), try node.required(2)]
        if let bias = node.input(3) {
            let last = [Attribute("start", .int(-1))]
            let widths = parts.map { node.put("Shape", [$0], last) }
            let axis = Attribute("axis", .int(0))
            let sizes = node.put("Concat", widths, [axis])
            let biases = node.put("Split", [bias, sizes], [axis], outputs: [nil, nil, nil])
            parts = zip(parts, biases).map { node.put("Add", [$0, $1]) }
        }
        let heads = try AttentionHeads(&node)
        let mask = heads.mask(
            of: node.input(4),
            query: parts[0],
            key: parts[1],
            past: node.input(6),
            adding: node.input(5),
            in: &node
        )
        var past: AttentionHeads.Cache?
        if let key = node.input(6) { past = AttentionHeads.Cache(key: key, value: try node.required(7)) }
        heads.put(parts, mask: mask, past: past, present: (node.output(1), node.output(2)), in: &node)
    }
}
