import ONNXGraph
import TensorCore
import TestSupport

@testable import Inference

/// Makes random models of sequences from the operators that exporters write.
struct RandomGraph {
    /// The axes of a value, batch first.
    enum Layout: Hashable { case channelsFirst, channelsLast, rows }

    struct Value {
        let name: String
        let layout: Layout
        let channels: Int
        /// How many positions more than the sequence there are.
        var extra = 0
    }

    private var random: SplitMix
    private var nodes: [Node] = []
    private var initializers: [Initializer] = []
    private var values: [Value] = []
    private var counter = 0
    let channels: Int
    let layout: Layout
    let isTokens: Bool

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
        channels = Int.random(in: 1...5, using: &random)
        layout = Bool.random(using: &random) ? .channelsFirst : .channelsLast
        isTokens = Int.random(in: 0..<4, using: &random) == 0
    }

    private mutating func name(_ stem: String) -> String {
        counter += 1
        return "\(stem)\(counter)"
    }

    private mutating func constant(_ shape: Shape, positive: Bool = false) -> String {
        let values = (0..<shape.elementCount).map { _ in
            Float.random(in: positive ? 0.5...1.5 : -1...1, using: &random)
        }
        return constant(values, shape)
    }

    private mutating func constant<T: TensorElement>(_ values: [T], _ shape: Shape) -> String {
        let name = name("c")
        if let tensor = try? Tensor(values, shape: shape) { initializers.append(Initializer(name, tensor)) }
        return name
    }

    private mutating func node(
        _ type: String,
        _ inputs: [String],
        _ attributes: [Attribute] = [],
        outputs count: Int = 1
    ) -> [String] {
        let outputs = (0..<count).map { _ in name("v") }
        nodes.append(Node(type, inputs: inputs, outputs: outputs, attributes: attributes))
        return outputs
    }

    private mutating func add(
        _ type: String,
        _ inputs: [String],
        _ attributes: [Attribute] = [],
        like value: Value
    ) {
        let output = node(type, inputs, attributes)[0]
        values.append(
            Value(name: output, layout: value.layout, channels: value.channels, extra: value.extra)
        )
    }

    private mutating func pick(_ layouts: Set<Layout> = [.channelsFirst, .channelsLast, .rows]) -> Value? {
        let fitting = values.filter { layouts.contains($0.layout) && $0.extra > -4 }
        // The newest values first, so that graphs grow deep.
        guard let last = fitting.last else { return nil }
        return Int.random(in: 0..<3, using: &random) == 0 ? fitting.randomElement(using: &random) : last
    }

    private func perChannel(_ value: Value) -> Shape {
        switch value.layout {
        case .channelsFirst: [1, 0, 1].replacingZero(by: value.channels)
        case .channelsLast, .rows: [0].replacingZero(by: value.channels)
        }
    }

    /// Adds a random operator.
    private mutating func grow() {
        guard let x = pick() else { return }
        switch Int.random(in: 0..<34, using: &random) {
        case 0:
            add(
                ["Relu", "Tanh", "Sigmoid", "Erf", "Neg", "Abs"].randomElement(using: &random) ?? "Relu",
                [x.name],
                like: x
            )
        case 1:
            add(
                ["Add", "Sub", "Mul", "Div"].randomElement(using: &random) ?? "Add",
                [x.name, constant(perChannel(x), positive: true)],
                like: x
            )
        case 2: add("Mul", [constant([0.5 as Float], []), x.name], like: x)
        case 3:
            let partners = values.filter {
                $0.layout == x.layout && $0.channels == x.channels && $0.extra == x.extra
            }
            guard let y = partners.randomElement(using: &random) else { return }
            add(
                ["Add", "Sub", "Mul", "Max"].randomElement(using: &random) ?? "Add",
                [x.name, y.name],
                like: x
            )
        case 4 where x.layout != .rows && x.extra == 0:
            let mask =
                x.layout == .channelsFirst
                ? "mask" : node("Transpose", ["mask"], [Attribute("perm", .ints([0, 2, 1]))])[0]
            add("Mul", [x.name, mask], like: x)
        case 5 where x.layout != .rows:
            let output = node("Transpose", [x.name], [Attribute("perm", .ints([0, 2, 1]))])[0]
            values.append(
                Value(
                    name: output,
                    layout: x.layout == .channelsFirst ? .channelsLast : .channelsFirst,
                    channels: x.channels,
                    extra: x.extra
                )
            )
        case 6, 7: convolve()
        case 8 where x.layout != .channelsFirst:
            let columns = Int.random(in: 1...6, using: &random)
            let weights = constant([0, columns].replacingZero(by: x.channels))
            let output = node("MatMul", [x.name, weights])[0]
            values.append(Value(name: output, layout: x.layout, channels: columns, extra: x.extra))
        case 9 where x.layout == .rows:
            let columns = Int.random(in: 1...6, using: &random)
            let weights = constant([columns, 0].replacingZero(by: x.channels))
            let output = node(
                "Gemm",
                [x.name, weights, constant([columns].replacingZero(by: 1))],
                [Attribute("transB", .int(1))]
            )[0]
            values.append(Value(name: output, layout: .rows, channels: columns))
        case 10 where x.layout != .channelsFirst:
            let shape = [0].replacingZero(by: x.channels)
            add(
                "LayerNormalization",
                [x.name, constant(shape), constant(shape)],
                [Attribute("axis", .int(-1))],
                like: x
            )
        case 11 where x.layout != .channelsLast:
            let shape = [0].replacingZero(by: x.channels)
            add(
                "BatchNormalization",
                [x.name, constant(shape), constant(shape), constant(shape), constant(shape, positive: true)],
                like: x
            )
        case 12:
            add(
                ["Softmax", "LogSoftmax"].randomElement(using: &random) ?? "Softmax",
                [x.name],
                [Attribute("axis", .int(Int64.random(in: 1...(x.layout == .rows ? 1 : 2), using: &random)))],
                like: x
            )
        case 13, 14: reduce(x)
        case 15 where x.layout != .rows && x.channels > 1:
            let axis: Int64 = x.layout == .channelsFirst ? 1 : 2
            let first = Int.random(in: 1..<x.channels, using: &random)
            let sizes = constant([Int64(first), Int64(x.channels - first)], [2])
            let parts = node("Split", [x.name, sizes], [Attribute("axis", .int(axis))], outputs: 2)
            values.append(Value(name: parts[0], layout: x.layout, channels: first, extra: x.extra))
            values.append(
                Value(name: parts[1], layout: x.layout, channels: x.channels - first, extra: x.extra)
            )
        case 16:
            guard
                let y = values.filter({ $0.layout == x.layout && $0.extra == x.extra }).randomElement(
                    using: &random
                ), x.channels + y.channels < 9
            else { return }
            let axis: Int64 = x.layout == .channelsLast ? 2 : 1
            let output = node("Concat", [x.name, y.name], [Attribute("axis", .int(axis))])[0]
            values.append(
                Value(name: output, layout: x.layout, channels: x.channels + y.channels, extra: x.extra)
            )
        case 17 where x.layout != .rows: slice(x)
        case 18 where x.layout != .rows:
            let axis: Int64 = x.layout == .channelsFirst ? 2 : 1
            let output = node(
                "Gather",
                [x.name, constant([[0, -1].randomElement(using: &random) ?? 0] as [Int64], [])],
                [Attribute("axis", .int(axis))]
            )[0]
            values.append(Value(name: output, layout: .rows, channels: x.channels))
        case 19 where x.layout == .rows:
            guard
                let y = values.filter({ $0.layout != .rows && $0.channels == x.channels }).randomElement(
                    using: &random
                )
            else { return }
            let axes = constant([y.layout == .channelsFirst ? 2 : 1] as [Int64], [1])
            let wide = node("Unsqueeze", [x.name, axes])[0]
            add("Add", [y.name, wide], like: y)
        case 20 where x.layout == .channelsLast: attend(x)
        case 21 where x.layout == .channelsFirst:
            let shape = [0].replacingZero(by: x.channels)
            add("InstanceNormalization", [x.name, constant(shape), constant(shape)], like: x)
        case 22 where x.layout == .channelsFirst: pool(x)
        case 23:
            let axis = Int64.random(in: 1...(x.layout == .rows ? 1 : 2), using: &random)
            let flags = ["exclusive", "reverse"].map {
                Attribute($0, .int(Int64.random(in: 0...1, using: &random)))
            }
            add("CumSum", [x.name, constant([axis], [])], flags, like: x)
        case 24 where x.layout == .channelsLast:
            // Heads, and back.
            let shape = constant([0, -1, 1, Int64(x.channels)], [4])
            let heads = node("Reshape", [x.name, shape])[0]
            let size = node("Shape", [x.name])[0]
            add("Reshape", [node("Relu", [heads])[0], size], like: x)
        case 25 where x.layout == .channelsLast && x.extra == 0: positions(x)
        case 26, 27: recur(x)
        case 28 where x.layout == .channelsLast: scan(x)
        case 29 where x.layout == .channelsFirst:
            let shape = [0].replacingZero(by: x.channels)
            let groups = (1...x.channels).filter { x.channels % $0 == 0 }.randomElement(using: &random) ?? 1
            add(
                "GroupNormalization",
                [x.name, constant(shape), constant(shape)],
                [Attribute("num_groups", .int(Int64(groups)))],
                like: x
            )
        case 30 where x.layout != .rows: pad(x)
        case 31 where x.layout != .rows: join(x)
        case 32 where x.layout == .channelsLast:
            let length = node("Gather", [node("Shape", [x.name])[0], constant([1 as Int64], [1])])[0]
            let axes = [Attribute("batch_axis", .int(0)), Attribute("time_axis", .int(1))]
            add("ReverseSequence", [x.name, length], axes, like: x)
        case 33 where x.layout == .channelsLast: attendAsOne(x)
        default: return
        }
    }

    private mutating func convolve() {
        guard let x = pick([.channelsFirst]) else { return }
        // Some give channels enough for the next to be filtered.
        let isWide = Int.random(in: 0..<4, using: &random) == 0
        guard convolve(x, isWide: isWide), isWide, let wide = values.last else { return }
        _ = convolve(wide, isWide: true)
    }

    private mutating func convolve(_ x: Value, isWide: Bool) -> Bool {
        let kernel = Int.random(in: isWide ? 3...7 : 1...4, using: &random)
        let dilation = Int.random(in: 1...3, using: &random)
        let groups = x.channels % 2 == 0 && Bool.random(using: &random) ? 2 : 1
        let outputs = groups * Int.random(in: isWide ? 24...40 : 1...3, using: &random)
        let widest: Int64 = isWide ? 9 : 4
        let pads = [
            Int64.random(in: 0...widest, using: &random), Int64.random(in: 0...widest, using: &random),
        ]
        let extra = x.extra + Int(pads[0] + pads[1]) - dilation * (kernel - 1)
        guard extra > -4 else { return false }
        let weights = constant([outputs, 0, kernel].replacingZero(by: x.channels / groups))
        var inputs = [x.name, weights]
        if Bool.random(using: &random) { inputs.append(constant([0].replacingZero(by: outputs))) }
        let output = node(
            "Conv",
            inputs,
            [
                Attribute("dilations", .ints([Int64(dilation)])), Attribute("group", .int(Int64(groups))),
                Attribute("pads", .ints(pads)), Attribute("kernel_shape", .ints([Int64(kernel)])),
            ]
        )[0]
        values.append(Value(name: output, layout: .channelsFirst, channels: outputs, extra: extra))
        return true
    }

    /// The number of positions of a value that is none of another's with some added.
    private mutating func ownExtra() -> Int {
        counter += 1
        return 1000 * counter
    }

    private mutating func pool(_ x: Value) {
        let kind = ["MaxPool", "AveragePool", "LpPool"].randomElement(using: &random) ?? "MaxPool"
        let kernel = Int.random(in: 1...3, using: &random)
        let dilation = Int.random(in: 1...2, using: &random)
        let stride = Int.random(in: 0..<3, using: &random) == 0 ? 2 : 1
        let pads = [Int.random(in: 0..<kernel, using: &random), Int.random(in: 0..<kernel, using: &random)]
        var attributes = [
            Attribute("kernel_shape", .ints([Int64(kernel)])), Attribute("strides", .ints([Int64(stride)])),
            Attribute("dilations", .ints([Int64(dilation)])),
            Attribute("pads", .ints(pads.map { Int64($0) })),
            Attribute("ceil_mode", .int(Int64.random(in: 0...1, using: &random))),
        ]
        if kind == "AveragePool", Bool.random(using: &random) {
            attributes.append(Attribute("count_include_pad", .int(1)))
        }
        let extra = stride > 1 ? ownExtra() : x.extra + pads[0] + pads[1] - dilation * (kernel - 1)
        guard extra > -4 else { return }
        let output = node(kind, [x.name], attributes)[0]
        values.append(Value(name: output, layout: .channelsFirst, channels: x.channels, extra: extra))
    }

    private mutating func pad(_ x: Value) {
        let mode = ["constant", "edge", "reflect"].randomElement(using: &random) ?? "edge"
        let counts = (0..<2).map { _ in Int.random(in: -1...3, using: &random) }
        let pads =
            x.layout == .channelsFirst
            ? [0, 0, counts[0], 0, 0, counts[1]] : [0, counts[0], 0, 0, counts[1], 0]
        let extra = x.extra + counts[0] + counts[1]
        guard extra > -4 else { return }
        let inputs = [x.name, constant(pads.map { Int64($0) }, [6])]
        let output = node("Pad", inputs, [Attribute("mode", .string(mode))])[0]
        values.append(Value(name: output, layout: x.layout, channels: x.channels, extra: extra))
    }

    /// The positions of two values, or of a value and a constant, one after the other.
    private mutating func join(_ x: Value) {
        let time: Int64 = x.layout == .channelsFirst ? 2 : 1
        let axis = Attribute("axis", .int(time))
        if Bool.random(using: &random) {
            let count = Int.random(in: 1...2, using: &random)
            let extents = time == 2 ? [1, x.channels, count] : [1, count, x.channels]
            let part = constant(extents.replacingZero(by: 1))
            let inputs = Bool.random(using: &random) ? [part, x.name] : [x.name, part]
            let output = node("Concat", inputs, [axis])[0]
            values.append(
                Value(name: output, layout: x.layout, channels: x.channels, extra: x.extra + count)
            )
            return
        }
        let partners = values.filter { $0.layout == x.layout && $0.channels == x.channels }
        guard let y = partners.randomElement(using: &random) else { return }
        let output = node("Concat", [x.name, y.name], [axis])[0]
        let extra = ownExtra()
        values.append(Value(name: output, layout: x.layout, channels: x.channels, extra: extra))
    }

    /// Attention as one node.
    private mutating func attendAsOne(_ x: Value) {
        let heads = x.channels % 2 == 0 ? 2 : 1
        var inputs = [x.name, x.name, node("Tanh", [x.name])[0]]
        if Bool.random(using: &random) {
            let largest = node("ReduceMax", [x.name, constant([2 as Int64], [1])])[0]
            inputs.append(node("Transpose", [largest], [Attribute("perm", .ints([0, 2, 1]))])[0])
        }
        let attributes = [
            Attribute("q_num_heads", .int(Int64(heads))), Attribute("kv_num_heads", .int(Int64(heads))),
            Attribute("is_causal", .int(Int64.random(in: 0...1, using: &random))),
        ]
        add("Attention", inputs, attributes, like: x)
    }

    private mutating func reduce(_ x: Value) {
        let kind =
            ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceSumSquare"]
            .randomElement(using: &random) ?? "ReduceSum"
        guard x.layout != .rows else {
            let output = node(kind, [x.name, constant([1 as Int64], [1])])[0]
            values.append(Value(name: output, layout: .rows, channels: 1))
            return
        }
        let time: Int64 = x.layout == .channelsFirst ? 2 : 1
        if Bool.random(using: &random) {
            let output = node(kind, [x.name, constant([time], [1])], [Attribute("keepdims", .int(0))])[0]
            values.append(Value(name: output, layout: .rows, channels: x.channels))
        } else {
            let output = node(kind, [x.name, constant([3 - time], [1])])[0]
            values.append(Value(name: output, layout: x.layout, channels: 1, extra: x.extra))
        }
    }

    private mutating func slice(_ x: Value) {
        let time: Int64 = x.layout == .channelsFirst ? 2 : 1
        let begin = Int64.random(in: 0...2, using: &random)
        if Bool.random(using: &random) {
            let output = node(
                "Slice",
                [x.name, constant([begin], [1]), constant([-1 as Int64], [1]), constant([time], [1])]
            )[0]
            values.append(
                Value(name: output, layout: x.layout, channels: x.channels, extra: x.extra - Int(begin) - 1)
            )
        } else if x.channels > 2 {
            let output = node(
                "Slice",
                [x.name, constant([begin], [1]), constant([Int64.max], [1]), constant([3 - time], [1])]
            )[0]
            values.append(
                Value(name: output, layout: x.layout, channels: x.channels - Int(begin), extra: x.extra)
            )
        }
    }

    private mutating func attend(_ x: Value) {
        let keys = node("Transpose", [x.name], [Attribute("perm", .ints([0, 2, 1]))])[0]
        let scores = node("MatMul", [x.name, keys])[0]
        var weights = node("Softmax", [scores], [Attribute("axis", .int(-1))])[0]
        if x.extra == 0, Bool.random(using: &random) {
            let hidden = node("Sub", [constant([1 as Float], []), "mask"])[0]
            let penalty = node("Mul", [hidden, constant([-1e9 as Float], [])])[0]
            weights = node("Softmax", [node("Add", [scores, penalty])[0]], [Attribute("axis", .int(-1))])[0]
        }
        if Int.random(in: 0..<3, using: &random) == 0 {
            let perQuery = node("ReduceMax", [x.name, constant([2 as Int64], [1])])[0]
            let perKey = node("Transpose", [perQuery], [Attribute("perm", .ints([0, 2, 1]))])[0]
            let bias = Bool.random(using: &random) ? perKey : perQuery
            let sum = Bool.random(using: &random) ? [scores, bias] : [bias, scores]
            weights = node("Softmax", [node("Add", sum)[0]], [Attribute("axis", .int(-1))])[0]
        }
        add("MatMul", [weights, x.name], like: x)
    }

    /// An RNN, GRU or LSTM over the positions.
    private mutating func recur(_ x: Value) {
        guard x.layout != .rows else { return }
        let kinds = [("RNN", 1), ("GRU", 3), ("LSTM", 4)]
        let (kind, gates) = kinds.randomElement(using: &random) ?? kinds[0]
        let directions = Bool.random(using: &random) ? 1 : 2
        let isBatchFirst = x.layout == .channelsLast && Bool.random(using: &random)
        let hidden = Int.random(in: 1...3, using: &random)
        var attributes = [
            Attribute("hidden_size", .int(Int64(hidden))), Attribute("layout", .int(isBatchFirst ? 1 : 0)),
        ]
        let isReversed = Bool.random(using: &random)
        attributes.append(
            Attribute(
                "direction",
                .string(directions == 2 ? "bidirectional" : isReversed ? "reverse" : "forward")
            )
        )
        if kind == "GRU", Bool.random(using: &random) {
            attributes.append(Attribute("linear_before_reset", .int(1)))
        }
        let order: [Int64] = x.layout == .channelsFirst ? [2, 0, 1] : [1, 0, 2]
        let steps = isBatchFirst ? x.name : node("Transpose", [x.name], [Attribute("perm", .ints(order))])[0]
        var inputs = [
            steps, constant([directions, gates * hidden, 0].replacingZero(by: x.channels)),
            constant([directions, gates * hidden, 0].replacingZero(by: hidden)),
        ]
        inputs.append(
            Bool.random(using: &random)
                ? constant([directions, 0].replacingZero(by: 2 * gates * hidden)) : ""
        )
        let states = kind == "LSTM" ? 2 : 1
        for state in initialStates(states, directions: directions, hidden: hidden, isBatchFirst) {
            if inputs.count == 4 { inputs.append("") }
            inputs.append(state)
        }
        if kind == "LSTM", inputs.count == 7, Bool.random(using: &random) {
            inputs.append(constant([directions, 0].replacingZero(by: 3 * hidden)))
        }
        let results = node(kind, inputs, attributes, outputs: 1 + states)
        let width = Int64(directions * hidden)
        let rows =
            isBatchFirst
            ? results[0] : node("Transpose", [results[0]], [Attribute("perm", .ints([2, 0, 1, 3]))])[0]
        let joined = node("Reshape", [rows, constant([0, 0, width], [3])])[0]
        values.append(Value(name: joined, layout: .channelsLast, channels: Int(width), extra: x.extra))
        let last = results[Int.random(in: 1...states, using: &random)]
        let first = isBatchFirst ? last : node("Transpose", [last], [Attribute("perm", .ints([1, 0, 2]))])[0]
        let flat = node("Reshape", [first, constant([0, width], [2])])[0]
        values.append(Value(name: flat, layout: .rows, channels: Int(width)))
    }

    /// Nothing, constants, or a row of each sequence.
    private mutating func initialStates(
        _ count: Int,
        directions: Int,
        hidden: Int,
        _ isBatchFirst: Bool
    ) -> [String] {
        let extents = isBatchFirst ? [1, directions, hidden] : [directions, 1, hidden]
        let rows = values.filter { $0.layout == .rows && $0.channels == directions * hidden }
        return (0..<Int.random(in: 0...count, using: &random)).map { _ in
            guard let row = rows.randomElement(using: &random) else {
                return constant(extents.replacingZero(by: 1))
            }
            return node("Reshape", [row.name, constant(extents.map { Int64($0) }, [3])])[0]
        }
    }

    /// A Scan whose body runs in place.
    private mutating func scan(_ x: Value) {
        let hidden = Int.random(in: 1...3, using: &random)
        let isReversed = Int64.random(in: 0...1, using: &random)
        let writesReversed = Int64.random(in: 0...1, using: &random)
        let input = constant([x.channels, hidden].replacingZero(by: 1))
        let recurrent = constant([hidden, hidden].replacingZero(by: 1))
        let table = constant([3, hidden].replacingZero(by: 1))
        let last = constant([2 as Int64], [])
        let rows = values.filter { $0.layout == .rows && $0.channels == hidden }
        let state = rows.randomElement(using: &random)?.name ?? constant([1, hidden].replacingZero(by: 1))
        let usesPositions = isReversed == 0 && x.extra == 0 && Bool.random(using: &random)
        let usesMask = x.extra == 0 && Bool.random(using: &random)
        var body = [
            Node("MatMul", inputs: ["x_t", input], outputs: ["wx"]),
            Node("MatMul", inputs: ["h", recurrent], outputs: ["wh"]),
            Node("Sigmoid", inputs: ["wx"], outputs: ["gate"]),
        ]
        var sum = "wx"
        if usesPositions {
            body += [
                Node("Min", inputs: ["t", last], outputs: ["now"]),
                Node("Gather", inputs: [table, "now"], outputs: ["shift"]),
                Node("Sub", inputs: ["wx", "shift"], outputs: ["shifted"]),
            ]
            sum = "shifted"
        }
        body += [
            Node("Add", inputs: [sum, "wh"], outputs: ["sum"]),
            Node("Tanh", inputs: ["sum"], outputs: ["new"]),
            Node("Mul", inputs: ["new", usesMask ? "m_t" : "gate"], outputs: ["h_next"]),
            Node(
                "Concat",
                inputs: ["gate", "h_next"],
                outputs: ["each"],
                attributes: [Attribute("axis", .int(-1))]
            ),
        ]
        var (inputs, formal) = ([state, x.name], ["h", "x_t"])
        var axes: [Int64] = [1]
        if usesMask {
            inputs.append("mask")
            formal.append("m_t")
            axes.append(2)
        }
        if usesPositions {
            let length = node("Gather", [node("Shape", [x.name])[0], constant([1 as Int64], [])])[0]
            inputs.append(node("Range", [constant([0 as Int64], []), length, constant([1 as Int64], [])])[0])
            formal.append("t")
            axes.append(0)
        }
        let graph = Graph(
            name: "body",
            nodes: body,
            inputs: formal.map { ValueInfo($0, elementType: $0 == "t" ? .int64 : .float32, dimensions: nil) },
            outputs: ["h_next", "each"].map { ValueInfo($0, elementType: .float32, dimensions: nil) }
        )
        let count = formal.count - 1
        let results = node(
            "Scan",
            inputs,
            [
                Attribute("body", .graph(graph)), Attribute("num_scan_inputs", .int(Int64(count))),
                Attribute("scan_input_axes", .ints(axes)),
                Attribute("scan_input_directions", .ints([Int64](repeating: isReversed, count: count))),
                Attribute("scan_output_axes", .ints([1])),
                Attribute("scan_output_directions", .ints([writesReversed])),
            ],
            outputs: 2
        )
        values.append(Value(name: results[0], layout: .rows, channels: hidden))
        values.append(Value(name: results[1], layout: .channelsLast, channels: 2 * hidden, extra: x.extra))
    }

    private mutating func positions(_ x: Value) {
        let shape = node("Shape", [x.name])[0]
        let length = node("Gather", [shape, constant([1 as Int64], [])])[0]
        let range = node("Range", [constant([0 as Int64], []), length, constant([1 as Int64], [])])[0]
        let table = constant([400, 0].replacingZero(by: x.channels))
        add("Add", [x.name, node("Gather", [table, range])[0]], like: x)
    }

    /// A finished model with the last values as outputs.
    mutating func model(steps: Int) throws -> SequenceModel {
        let time = Dimension.symbol("time")
        let batch = Dimension.symbol("batch")
        let sequence: SequenceInput
        var inputs: [ValueInfo]
        if isTokens {
            sequence = SequenceInput(name: "x", kind: .tokens)
            inputs = [ValueInfo("x", elementType: .int64, dimensions: [batch, time])]
            let embedded = node("Gather", [constant([20, 0].replacingZero(by: channels)), "x"])[0]
            values = [Value(name: embedded, layout: .channelsLast, channels: channels)]
        } else {
            let isFirst = layout == .channelsFirst
            sequence = SequenceInput(
                name: "x",
                kind: .features(layout: isFirst ? .channelsFirst : .channelsLast, channels: channels)
            )
            let dimensions = isFirst ? [batch, .fixed(channels), time] : [batch, time, .fixed(channels)]
            inputs = [ValueInfo("x", elementType: .float32, dimensions: dimensions)]
            values = [Value(name: "x", layout: layout, channels: channels)]
        }
        inputs.append(ValueInfo("mask", elementType: .float32, dimensions: [batch, .fixed(1), time]))
        for _ in 0..<steps { grow() }
        if Bool.random(using: &random), let x = pick([.channelsFirst]), x.extra == 0 { meanPool(x) }
        let outputs = values.suffix(3).filter { $0.name != "x" }
        let graph = Graph(
            name: "random",
            nodes: nodes,
            initializers: initializers,
            inputs: inputs,
            outputs: outputs.map { ValueInfo($0.name, elementType: .float32, dimensions: nil) }
        )
        let signature = Signature(
            sequence: sequence,
            mask: MaskInput(name: "mask", rank: 3),
            outputs: outputs.map { value in
                let kind: OutputSignature.Kind =
                    switch value.layout {
                    case .rows: .perSequence
                    case .channelsFirst: .perPosition(timeAxis: 2)
                    case .channelsLast: .perPosition(timeAxis: 1)
                    }
                return OutputSignature(name: value.name, kind: kind, features: [value.channels])
            }
        )
        return try SequenceModel(
            model: Model(graph: graph, opsetImports: ["": 24]),
            signature: signature,
            sites: []
        )
    }

    private mutating func meanPool(_ x: Value) {
        let axes = constant([2 as Int64], [1])
        let masked = node("Mul", [x.name, "mask"])[0]
        let sum = node("ReduceSum", [masked, axes], [Attribute("keepdims", .int(0))])[0]
        let count = node("ReduceSum", ["mask", axes], [Attribute("keepdims", .int(0))])[0]
        let bounded = node("Max", [count, constant([1 as Float], [])])[0]
        values.append(Value(name: node("Div", [sum, bounded])[0], layout: .rows, channels: x.channels))
    }

    /// Sequences of some lengths.
    mutating func batch(_ lengths: [Int]) throws -> SequenceBatch {
        let count = lengths.reduce(0, +)
        if isTokens {
            let tokens = (0..<count).map { _ in Int64.random(in: 0..<20, using: &random) }
            return try SequenceBatch(rows: Tensor(tokens, shape: Shape(checking: [count])), lengths: lengths)
        }
        let values = (0..<count * channels).map { _ in Float.random(in: -2...2, using: &random) }
        return try SequenceBatch(
            rows: Tensor(values, shape: Shape(checking: [count, channels])),
            lengths: lengths
        )
    }
}

extension [Int] {
    /// A shape with a length where the list says 0.
    func replacingZero(by length: Int) -> Shape {
        (try? Shape(checking: map { $0 == 0 ? length : $0 })) ?? []
    }
}
