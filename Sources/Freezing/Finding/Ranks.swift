import ONNXGraph

/// The number of axes of a value, as far as declarations and operators tell.
enum Ranks {
    private static let longestWay = 24

    static func rank(of value: String, in scope: ValueScope, depth: Int = 0) -> Int? {
        guard depth < longestWay, let home = scope.home(of: value), let level = home.current else {
            return nil
        }
        if let declared = level.declared[value]?.dimensions { return declared.count }
        if let constant = level.constants[value] { return constant.dimensions.count }
        guard let index = level.makers[value] else { return nil }
        let node = level.nodes[index]
        let inputs = node.inputs.filter { !$0.isEmpty }
        guard let first = inputs.first else { return nil }
        switch node.operatorType {
        case "Gemm": return 2
        case "Conv", "ConvTranspose":
            return inputs.count > 1 ? rank(of: inputs[1], in: home, depth: depth + 1) : nil
        case "Add", "Sub", "Mul", "Div", "Pow", "Where", "Max", "Min", "MatMul":
            let ranks = inputs.map { rank(of: $0, in: home, depth: depth + 1) }
            return ranks.contains(nil) ? nil : ranks.compactMap(\.self).max()
        case "Relu", "Tanh", "Sigmoid", "Erf", "Exp", "Log", "Sqrt", "Neg", "Abs", "Identity", "Cast",
            "BatchNormalization", "Softmax", "Gelu", "Clip", "Dropout", "Transpose", "LayerNormalization",
            "LeakyRelu", "Elu", "Softplus", "CumSum", "Slice", "Concat":
            return rank(of: first, in: home, depth: depth + 1)
        default: return nil
        }
    }
}
