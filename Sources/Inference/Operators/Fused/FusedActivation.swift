import ONNXGraph

/// The activation of a fused product or convolution.
struct FusedActivation {
    private let type: String
    private let parameters: [Float]

    /// The activation that attributes name, nil if there is none.
    ///
    /// - Parameters:
    ///   - type: The operator.
    ///   - parameters: Its attributes in their order, such as `alpha` and `beta`; what is missing has ONNX's default.
    /// - Throws: ``OperatorError/attributeValue(_:)`` for another operator than onnxruntime fuses.
    init?(_ type: String?, _ parameters: [Float]) throws(OperatorError) {
        guard let type, !type.isEmpty else { return nil }
        let known = [
            "Relu", "Tanh", "Sigmoid", "LeakyRelu", "Clip", "HardSigmoid", "Elu", "Softplus", "Softsign",
        ]
        guard known.contains(type) else { throw .attributeValue("activation") }
        self.type = type
        self.parameters = parameters
    }

    /// Appends the activation of a value.
    func put(_ x: String, to output: String?, in node: inout FusedNode) {
        switch type {
        case "Clip":
            let bounds = parameters.prefix(2).map { node.constant(.float($0)) }
            node.put("Clip", [x] + bounds, to: output)
        case "LeakyRelu", "Elu", "HardSigmoid":
            let names = type == "HardSigmoid" ? ["alpha", "beta"] : ["alpha"]
            let attributes = zip(names, parameters).map { Attribute($0, .float($1)) }
            node.put(type, [x], attributes, to: output)
        default: node.put(type, [x], to: output)
        }
    }
}
