import ONNXGraph

/// EmbedLayerNormalization: embeddings of words, positions and segments added up, then a layer normalization.
///
/// Ids are `[B, L]`; positions count from 0 if they are not given. The second output is the number of ones in each
/// row of the mask, or 0 without one; the third the sum before the normalization.
enum EmbedLayerNormalization {
    static func expand(_ node: inout FusedNode) throws(OperatorError) {
        try node.reader.expectInputs(6...9)
        // Both kinds of mask index are counts here.
        guard (0...1).contains(try node.reader.int("mask_index_type", default: 0)) else {
            throw .attributeValue("mask_index_type")
        }
        let ids = try node.required(0)
        let words = node.put("Gather", [try node.required(2), ids])
        let positions = node.put("Gather", [try node.required(3), node.input(8) ?? count(ids, &node)])
        var total = node.put("Add", [words, positions])
        let segments = node.input(1)
        if let segments {
            total = node.put("Add", [total, node.put("Gather", [try node.required(4), segments])])
        }
        if let sum = node.output(2) { total = node.put("Identity", [total], to: sum) }
        node.put(
            "LayerNormalization",
            [total, try node.required(5), try node.required(6)],
            [try SkipLayerNormalization.epsilon(&node, 1e-12)],
            to: node.output(0)
        )
        if let result = node.output(1) { countOnes(ids, to: result, &node) }
    }

    /// The position of each column of the ids, from 0 on.
    private static func count(_ ids: String, _ node: inout FusedNode) -> String {
        let shape = node.put("Shape", [ids])
        let length = node.put("Gather", [shape, node.constant(.int(1))])
        return node.put("Range", [node.constant(.int(0)), length, node.constant(.int(1))])
    }

    private static func countOnes(_ ids: String, to result: String, _ node: inout FusedNode) {
        let one = node.put("Cast", [node.constant(.int(1))], [Attribute("to", .int(6))])
        // Without a mask nothing is one: no id differs from itself.
        let isOne =
            node.input(7).map { node.put("Equal", [$0, one]) }
            ?? node.put("Not", [node.put("Equal", [ids, ids])])
        let numbers = node.put("Cast", [isOne], [Attribute("to", .int(6))])
        let axes = node.constant(.ints([1]))
        node.put("ReduceSum", [numbers, axes], [Attribute("keepdims", .int(0))], to: result)
    }
}
