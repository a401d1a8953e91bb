import ONNXGraph

/// What the way a graph uses an input tells of its axes.
struct InputUsage {
    /// The axis that weights have a row or column for each element of.
    private(set) var channelAxis: Int?
    /// The length of the channel axis.
    private(set) var channels: Int?
    /// The axis that a loop or a recurrent layer goes along.
    private(set) var timeAxis: Int?
    /// The number of rows of the embedding that the input picks from.
    private(set) var vocabularySize: Int?

    /// Follows an input through a graph.
    ///
    /// - Parameters:
    ///   - input: The input.
    ///   - graph: The model's graph.
    init(of input: DeclaredValue, in graph: Graph) {
        follow([input.name: Array(input.axes.indices)], in: graph, constants: ConstantShapes())
    }

    private init() {}

    /// Where the axes of an input are in the values of the model's own graph, as far as they can be followed.
    ///
    /// - Parameters:
    ///   - input: The input's name.
    ///   - rank: How many axes it has.
    ///   - graph: The model's graph.
    /// - Returns: The axes of each value that has some of the input's, each as long as the input's.
    static func axisMaps(of input: String, rank: Int, in graph: Graph) -> [String: AxisMap] {
        var usage = InputUsage()
        return usage.follow([input: Array(0..<rank)], in: graph, constants: ConstantShapes())
    }

    @discardableResult
    private mutating func follow(
        _ traced: [String: AxisMap],
        in graph: Graph,
        constants: ConstantShapes
    ) -> [String: AxisMap] {
        var traced = traced
        var constants = constants
        constants.add(graph.initializers)
        for node in graph.nodes {
            constants.add(outputOf: node)
            note(node, traced, constants)
            enterScan(node, traced, constants)
            if let output = node.outputs.first, let map = Self.output(of: node, traced, constants) {
                traced[output] = map
            }
        }
        return traced
    }

    // MARK: What operators tell

    private mutating func note(_ node: Node, _ traced: [String: AxisMap], _ constants: ConstantShapes) {
        func constant(_ index: Int) -> [Int]? {
            node.inputs.indices.contains(index) ? constants[node.inputs[index]] : nil
        }
        if node.operatorType == "Gather" {
            guard node.inputs.count > 1, traced[node.inputs[1]] != nil, let table = constant(0) else {
                return
            }
            let axis = if case .int(let axis)? = node.attribute("axis") { axis } else { Int64(0) }
            if table.count >= 2, axis == 0 { vocabularySize = vocabularySize ?? table[0] }
            return
        }
        guard let input = node.inputs.first, let map = traced[input] else { return }
        switch node.operatorType {
        case "Conv":
            guard let weight = constant(1), weight.count >= 2 else { return }
            let groups = if case .int(let groups)? = node.attribute("group") { groups } else { Int64(1) }
            noteChannels(map, axis: 1, count: weight[1], times: Int(clamping: groups))
            if map.count == 3 { noteTime(map, axis: 2) }
        case "ConvTranspose": noteChannels(map, axis: 1, count: constant(1)?.first)
        case "BatchNormalization", "InstanceNormalization":
            noteChannels(map, axis: 1, count: constant(1)?.first)
        case "MatMul":
            if let weight = constant(1), weight.count == 2 {
                noteChannels(map, axis: map.count - 1, count: weight[0])
            }
        case "LayerNormalization": noteChannels(map, axis: map.count - 1, count: constant(1)?.last)
        case "LSTM", "GRU", "RNN":
            let isBatchFirst = node.attribute("layout") == .int(1)
            noteChannels(map, axis: 2, count: constant(1)?.last)
            noteTime(map, axis: isBatchFirst ? 1 : 0)
        default: break
        }
    }

    private mutating func noteChannels(_ map: AxisMap, axis: Int, count: Int?, times factor: Int = 1) {
        guard let count, map.indices.contains(axis), let original = map[axis], channelAxis == nil else {
            return
        }
        let (product, overflow) = count.multipliedReportingOverflow(by: factor)
        guard !overflow, product > 0 else { return }
        channelAxis = original
        channels = product
    }

    private mutating func noteTime(_ map: AxisMap, axis: Int) {
        guard map.indices.contains(axis), let original = map[axis] else { return }
        timeAxis = timeAxis ?? original
    }

    // MARK: Loops

    private mutating func enterScan(
        _ node: Node,
        _ traced: [String: AxisMap],
        _ constants: ConstantShapes
    ) {
        guard node.operatorType == "Scan", case .graph(let body)? = node.attribute("body"),
            case .int(let count)? = node.attribute("num_scan_inputs"),
            let scanCount = Int(exactly: count), (0...node.inputs.count).contains(scanCount)
        else { return }
        let states = node.inputs.count - scanCount
        let axes: [Int64] = if case .ints(let axes)? = node.attribute("scan_input_axes") { axes } else { [] }
        let bodyInputs = body.inputs
        var inner = traced
        for (index, input) in node.inputs.enumerated() where index >= states {
            guard var map = traced[input], bodyInputs.indices.contains(index) else { continue }
            let position = index - states
            let axis = axes.indices.contains(position) ? Int(clamping: axes[position]) : 0
            let place = axis < 0 ? axis + map.count : axis
            guard map.indices.contains(place) else { continue }
            noteTime(map, axis: place)
            map.remove(at: place)
            inner[bodyInputs[index].name] = map
        }
        follow(inner, in: body, constants: constants)
    }

    // MARK: Where the axes go

    private static let elementwise: Set<String> = [
        "Abs", "Add", "Cast", "CastLike", "Clip", "Div", "Dropout", "Elu", "Erf", "Gelu", "HardSigmoid",
        "Identity", "LeakyRelu", "Max", "Min", "Mul", "Neg", "PRelu", "Pow", "Relu", "Selu", "Sigmoid",
        "Softplus", "Sub", "Tanh", "Where",
    ]

    private static func output(
        of node: Node,
        _ traced: [String: AxisMap],
        _ constants: ConstantShapes
    ) -> AxisMap? {
        let maps = node.inputs.compactMap { traced[$0] }
        guard let first = maps.first else { return nil }
        switch node.operatorType {
        case "Transpose":
            return AxisMap.permutation(of: node, rank: first.count)?.map { first[$0] }
        case "Unsqueeze": return constants.axes(of: node).flatMap(first.unsqueezed)
        case "Squeeze": return constants.axes(of: node).flatMap(first.squeezed)
        case "BatchNormalization", "LayerNormalization": return traced[node.inputs[0]]
        case "MatMul":
            guard node.inputs.count == 2, let map = traced[node.inputs[0]], !map.isEmpty,
                constants[node.inputs[1]]?.count == 2
            else { return nil }
            return map.dropLast() + [nil]
        case "Gather":
            let axis = if case .int(let axis)? = node.attribute("axis") { axis } else { Int64(0) }
            guard node.inputs.count == 2, axis == 0, let table = constants[node.inputs[0]], !table.isEmpty,
                let map = traced[node.inputs[1]]
            else { return nil }
            return map + [Int?](repeating: nil, count: table.count - 1)
        default:
            guard elementwise.contains(node.operatorType) else { return nil }
            return maps.max { $0.count < $1.count }
        }
    }
}
