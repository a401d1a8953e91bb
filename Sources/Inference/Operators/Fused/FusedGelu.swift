import ONNXGraph

/// Gelu, BiasGelu, FastGelu and QuickGelu: exact, exact with a bias, by tanh, and `x * sigmoid(alpha * x)`.
enum FusedGelu {
    static func exact(_ node: inout FusedNode) throws(OperatorError) {
        try node.reader.expectInputs(1...1)
        node.put("Gelu", [try node.required(0)], to: node.output(0))
    }

    static func bias(_ node: inout FusedNode) throws(OperatorError) {
        try node.reader.expectInputs(2...2)
        node.put("Gelu", [node.sum(try node.required(0), try node.required(1))], to: node.output(0))
    }

    static func fast(_ node: inout FusedNode) throws(OperatorError) {
        try node.reader.expectInputs(1...2)
        let x = node.sum(try node.required(0), node.input(1))
        node.put("Gelu", [x], [Attribute("approximate", .string("tanh"))], to: node.output(0))
    }

    static func quick(_ node: inout FusedNode) throws(OperatorError) {
        try node.reader.expectInputs(1...1)
        let alpha = try node.reader.float("alpha", default: 1.702)
        node.put("Swish", [try node.required(0)], [Attribute("alpha", .float(alpha))], to: node.output(0))
    }
}
