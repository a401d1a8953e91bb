import ONNXGraph

/// What is known of the outputs of an operator without subgraphs, from what is known of its inputs.
struct AxisRules {
    let node: Node
    /// In the node's order; nil where nothing is known, or there is no input.
    let inputs: [AxisFacts?]
    let opset: Int
    /// The graph of the node.
    let graph: NodePath
    /// The nodes of the loops around it, outermost first.
    let stack: [NodePath]

    init(_ node: Node, _ inputs: [AxisFacts?], opset: Int, graph: NodePath, stack: [NodePath]) {
        self.node = node
        self.inputs = inputs
        self.opset = opset
        self.graph = graph
        self.stack = stack
    }

    private static let pointwise: Set<String> = [
        "Abs", "Acos", "Acosh", "Add", "And", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Celu", "Clip", "Cos",
        "Cosh",
        "Div", "Elu", "Equal", "Erf", "Exp", "Floor", "Gelu", "Greater", "GreaterOrEqual", "HardSigmoid",
        "HardSwish", "IsInf", "IsNaN", "LeakyRelu", "Less", "LessOrEqual", "Log", "Max", "Mean", "Min",
        "Mish", "Mod",
        "Mul", "Neg", "Not", "Or", "PRelu", "Pow", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign",
        "Sin",
        "Sinh", "Softplus", "Softsign", "Sqrt", "Sub", "Sum", "Swish", "Tan", "Tanh", "ThresholdedRelu",
        "Where", "Xor",
    ]
    private static let shapeKeeping: Set<String> = [
        "BatchNormalization", "CumSum", "Dropout", "GroupNormalization", "InstanceNormalization",
        "LayerNormalization",
        "LogSoftmax", "RMSNormalization", "Softmax",
    ]

    /// The facts of the outputs, in their order; nil, or none, where nothing is known.
    func outputs() -> [AxisFacts?] {
        if node.operatorType == "Constant" { return [node.constant.map { AxisFacts($0) }] }
        guard node.domain.isEmpty, let first = inputs.first.flatMap({ $0 }),
            zip(node.inputs, inputs).allSatisfy({ $0.isEmpty || $1 != nil })
        else { return [] }
        let type = node.operatorType
        if Self.pointwise.contains(type) {
            return [made(inputs.compactMap(\.self).reduce([]) { $0.broadcast(with: $1.axes) })]
        }
        if Self.shapeKeeping.contains(type) {
            // Further outputs of a normalization over the batch are `[C]`.
            let further: [SequenceAxis] =
                type == "Dropout" ? first.axes : first.axes.indices.contains(1) ? [first.axes[1]] : []
            return node.outputs.indices.map { made($0 == 0 ? first.axes : further) }
        }
        if type.hasPrefix("Reduce") || type == "ArgMax" || type == "ArgMin" { return [reduction(of: first)] }
        switch type {
        case "Identity", "Cast", "CastLike":
            var same = made(first.axes, numbers: first.numbers)
            same.iteration = first.iteration
            return [same]
        case "Shape", "Size", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand", "ConstantOfShape",
            "Range":
            return [shaping(first)]
        case "Transpose":
            let order = node.ints("perm") ?? Array(first.axes.indices.reversed())
            guard Set(order) == Set(first.axes.indices), order.count == first.axes.count else { return [] }
            return [made(order.map { first.axes[$0] })]
        case "Gather": return [gather(first)]
        case "Slice": return [slice(first)]
        case "Concat": return [concatenation()]
        case "Split": return split(first)
        case "MatMul", "Gemm": return [product(first)]
        case "Conv": return [convolution(first)]
        case "GlobalAveragePool", "GlobalMaxPool":
            return [made(first.axes.enumerated().map { $0 < 2 ? $1 : .other(1) })]
        case "LSTM", "GRU", "RNN": return recurrence(first)
        default: return []
        }
    }

    /// A value that depends on all inputs.
    func made(_ axes: [SequenceAxis], numbers: [SequenceAxis]? = nil) -> AxisFacts {
        let known = inputs.compactMap(\.self)
        return AxisFacts(
            axes: axes,
            numbers: numbers,
            slices: known.reduce(into: []) { $0.formUnion($1.slices) },
            loops: known.reduce(into: []) { $0.formUnion($1.loops) }
        )
    }

    /// The whole numbers of an input that the graph knows.
    func integers(_ position: Int) -> [Int]? {
        guard inputs.indices.contains(position), let numbers = inputs[position]?.numbers else { return nil }
        let integers = numbers.compactMap(\.length)
        return integers.count == numbers.count ? integers : nil
    }

    /// Whether an optional input is there.
    func has(_ position: Int) -> Bool {
        node.inputs.indices.contains(position) && !node.inputs[position].isEmpty
    }

    /// An axis counted from the front; nil if a value of the rank has none.
    func place(_ axis: Int, in rank: Int) -> Int? {
        let place = axis < 0 ? axis + rank : axis
        return (0..<rank).contains(place) ? place : nil
    }

    /// The axes that an attribute or, in newer opsets, an input lists; nil if they are computed.
    func listedAxes(rank: Int) -> [Int]?? {
        let listed: [Int]?
        if let axes = node.ints("axes") {
            listed = axes
        } else if has(1) {
            guard let axes = integers(1) else { return .none }
            listed = axes
        } else {
            return .some(nil)
        }
        let places = (listed ?? []).compactMap { place($0, in: rank) }
        return places.count == listed?.count ? .some(places) : .none
    }
}
