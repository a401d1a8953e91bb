import ONNXGraph

/// SkipLayerNormalization and its relatives: a residual sum, then a normalization of the last axis.
///
/// `sum = input + skip + bias`, `output = normalize(sum) * gamma + beta`; the simplified ones do not subtract the mean
/// and have no beta.
enum SkipLayerNormalization {
    static func expand(_ node: inout FusedNode) throws(OperatorError) {
        try node.reader.expectInputs(3...5)
        let total = try residualSum(&node, bias: node.input(4))
        var inputs = [total, try node.required(2)]
        if let beta = node.input(3) { inputs.append(beta) }
        node.put(
            "LayerNormalization",
            inputs,
            [try epsilon(&node, 1e-12)],
            outputs: [node.output(0), node.output(1), node.output(2)]
        )
    }

    static func skipSimplified(_ node: inout FusedNode) throws(OperatorError) {
        try node.reader.expectInputs(3...4)
        for index in 1...2 where node.output(index) != nil { throw .outputCount(3, allowed: 1...1) }
        let total = try residualSum(&node, bias: node.input(3))
        let inputs = [total, try node.required(2)]
        node.put("RMSNormalization", inputs, [try epsilon(&node, 1e-12)], to: node.output(0))
    }

    static func simplified(_ node: inout FusedNode) throws(OperatorError) {
        try node.reader.expectInputs(2...2)
        try node.refuseOutputs(from: 1)
        let axis = try node.reader.int("axis", default: -1)
        let precision = try node.reader.int("stash_type", default: 1)
        node.put(
            "RMSNormalization",
            [try node.required(0), try node.required(1)],
            [
                Attribute("axis", .int(Int64(axis))), Attribute("stash_type", .int(Int64(precision))),
                try epsilon(&node, 1e-5),
            ],
            to: node.output(0)
        )
    }

    private static func residualSum(
        _ node: inout FusedNode,
        bias: String?
    ) throws(OperatorError) -> String {
        let sum = node.sum(try node.required(0), try node.required(1))
        return node.sum(sum, bias, to: node.output(3))
    }

    static func epsilon(_ node: inout FusedNode, _ standard: Float) throws(OperatorError) -> Attribute {
        Attribute("epsilon", .float(try node.reader.float("epsilon", default: standard)))
    }
}
