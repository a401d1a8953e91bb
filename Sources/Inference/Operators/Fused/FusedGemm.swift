import ONNXGraph

/// FusedGemm: `activation(alpha * A * B + beta * C)`.
enum FusedGemm {
    static func expand(_ node: inout FusedNode) throws(OperatorError) {
        try node.reader.expectInputs(2...3)
        try node.refuseOutputs(from: 1)
        var parameters: [Float] = []
        for name in ["activation_alpha", "activation_beta", "activation_gamma"] {
            if let value = try node.reader.float(name) { parameters.append(value) }
        }
        let activation = try FusedActivation(node.reader.string("activation"), parameters)
        var attributes: [Attribute] = []
        for name in ["alpha", "beta"] {
            if let value = try node.reader.float(name) { attributes.append(Attribute(name, .float(value))) }
        }
        for name in ["transA", "transB"] {
            if let value = try node.reader.int(name) {
                attributes.append(Attribute(name, .int(Int64(value))))
            }
        }
        let result = node.output(0)
        let inputs = [try node.required(0), try node.required(1), node.input(2) ?? ""]
        let y = node.put("Gemm", inputs, attributes, to: activation == nil ? result : nil)
        activation?.put(y, to: result, in: &node)
    }
}
