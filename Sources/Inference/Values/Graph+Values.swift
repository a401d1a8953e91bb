import ONNXGraph

extension Graph {
    /// Whether any value, at any depth, may be no tensor of numbers: a sequence, an optional, strings.
    var usesOtherValues: Bool {
        inputs.contains { !$0.isNumeric } || initializers.contains(where: \.isText)
            || nodes.contains { node in
                Self.makers.contains(node.operatorType)
                    || node.attributes.contains { attribute in
                        switch attribute.value {
                        case .tensor(let tensor): tensor.isText
                        case .string, .strings: node.operatorType == "Constant"
                        // Cast has ONNX's number for strings in `to`.
                        case .int(let code): node.operatorType == "Cast" && code == 8
                        case .graph(let body): body.usesOtherValues
                        default: false
                        }
                    }
            }
    }

    /// Operators that make a sequence or an optional out of tensors.
    private static let makers: Set<String> = [
        "Optional", "SequenceConstruct", "SequenceEmpty", "SplitToSequence",
    ]
}
