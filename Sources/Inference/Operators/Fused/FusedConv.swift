import ONNXGraph

/// FusedConv: `activation(Conv(X, W, B) + Z)`.
enum FusedConv {
    static func expand(_ node: inout FusedNode) throws(OperatorError) {
        try node.reader.expectInputs(2...4)
        try node.refuseOutputs(from: 1)
        let activation = try FusedActivation(
            node.reader.string("activation"),
            node.reader.floats("activation_params") ?? []
        )
        var attributes: [Attribute] = []
        for name in ["dilations", "kernel_shape", "pads", "strides"] {
            guard let values = try node.reader.ints(name) else { continue }
            attributes.append(Attribute(name, .ints(values.map { Int64($0) })))
        }
        if let group = try node.reader.int("group") {
            attributes.append(Attribute("group", .int(Int64(group))))
        }
        if let padding = try node.reader.string("auto_pad") {
            attributes.append(Attribute("auto_pad", .string(padding)))
        }
        let result = node.output(0)
        let addend = node.input(3)
        let inputs = [try node.required(0), try node.required(1), node.input(2) ?? ""]
        let isLast = activation == nil && addend == nil
        var y = node.put("Conv", inputs, attributes, to: isLast ? result : nil)
        if let addend { y = node.sum(y, addend, to: activation == nil ? result : nil) }
        activation?.put(y, to: result, in: &node)
    }
}
