import ONNXGraph
import TensorCore

/// Makes a Loop over the positions of a tensor a Scan, which takes its steps in place, and those of many sequences at once.
///
/// PyTorch writes `for t in range(x.size(1))` as a Loop whose body gathers `x[:, t]` and appends to a list that is stacked
/// behind it. Applies to a Loop that as many trips end as an axis of a tensor is long, and nothing else, whose body gathers
/// from that axis at the number of the trip. No rounding changes.
enum LoopStepping {
    /// The first opset with Range, and with a Scan of one batch.
    static let firstOpset = 11

    /// A model's graph with such loops rewritten, at any depth.
    ///
    /// - Parameters:
    ///   - graph: The graph, of an opset from ``firstOpset`` on.
    ///   - outputs: Values that are asked for beside its outputs.
    /// - Returns: The rewritten graph, or the same.
    static func rewrite(_ graph: Graph, keeping outputs: [String]) -> Graph {
        var names: FusedNames?
        guard let result = rewritten(graph, keeping: outputs, in: nil, all: graph, &names, depth: 0),
            // A list that is no list of one value a trip cannot be a state of a Scan.
            !result.usesOtherValues
        else { return graph }
        return result
    }

    /// The graph, or nil if it has no loop to rewrite.
    private static func rewritten(
        _ graph: Graph,
        keeping outputs: [String],
        in outer: LoopNames?,
        all: Graph,
        _ fresh: inout FusedNames?,
        depth: Int
    ) -> Graph? {
        guard depth <= ModelLimits.deepestNesting, hasLoops(graph, depth: depth) else { return nil }
        let names = LoopNames(graph, keeping: outputs, in: outer)
        var nodes: [Node] = []
        var dropped: Set<String> = []
        var isChanged = false
        for node in names.nodes {
            if node.outputs.contains(where: dropped.contains) { continue }
            var node = node
            for (attribute, body) in node.subgraphs {
                guard
                    let inner = rewritten(body, keeping: [], in: names, all: all, &fresh, depth: depth + 1)
                else { continue }
                node.attributes = node.attributes.map {
                    $0.name == attribute ? Attribute($0.name, .graph(inner)) : $0
                }
                isChanged = true
            }
            guard let loop = SteppingLoop(node, in: names) else {
                nodes.append(node)
                continue
            }
            var made = fresh ?? FusedNames(taken: all.allValueNames)
            nodes += loop.nodes(&made)
            fresh = made
            dropped.formUnion(loop.lists.map(\.stacked))
            isChanged = true
        }
        guard isChanged else { return nil }
        var result = graph
        result.nodes = nodes
        // A list that nobody appends to any longer.
        let needed = NeededNodes(of: result, for: result.outputs.map(\.name) + outputs)
        result.nodes = zip(nodes, needed.nodes).compactMap {
            $1 || $0.operatorType != "SequenceEmpty" ? $0 : nil
        }
        return result
    }

    private static func hasLoops(_ graph: Graph, depth: Int) -> Bool {
        guard depth <= ModelLimits.deepestNesting else { return false }
        return graph.nodes.contains { node in
            (node.operatorType == "Loop" && node.domain.isEmpty)
                || node.subgraphs.contains { hasLoops($0.graph, depth: depth + 1) }
        }
    }
}

/// A Loop that can be a Scan.
private struct SteppingLoop {
    /// A list to which the body appends once a trip, stacked behind the loop.
    struct List {
        /// The state of the body.
        let state: Int
        /// What the body appends.
        let part: String
        /// The stacked value, and the axis it is stacked along.
        let stacked: String
        let axis: Int
    }

    private let node: Node
    private let body: Graph
    private let inner: LoopNames
    private let trips: String
    private let source: (tensor: String, axis: Int)
    /// What the body gathers; all equal.
    private let elements: [String]
    let lists: [List]

    init?(_ node: Node, in names: LoopNames) {
        guard node.operatorType == "Loop", node.domain.isEmpty, node.inputs.count >= 2,
            case .graph(let body)? = node.attribute("body"), body.inputs.count == node.inputs.count,
            body.outputs.count >= node.inputs.count - 1, node.outputs.count <= body.outputs.count - 1,
            !node.inputs.dropFirst(2).contains(""), let source = names.length(node.inputs[0]),
            node.inputs[1].isEmpty || names.integers(node.inputs[1]) == [1]
        else { return nil }
        let inner = LoopNames(body, in: names)
        let (trip, condition) = (body.inputs[0].name, body.inputs[1].name)
        let goesOn = inner.whole(body.outputs[0].name)
        guard goesOn == condition || inner.integers(goesOn) == [1], inner.producer(source.tensor) == nil,
            inner.useCount(condition) <= (goesOn == condition ? 1 : 0)
        else { return nil }
        elements = inner.nodes.compactMap { gather in
            guard gather.operatorType == "Gather", gather.domain.isEmpty, gather.inputs.count == 2,
                gather.inputs[1] == trip, inner.whole(gather.inputs[0]) == source.tensor
            else { return nil }
            let axis: Int = if case .int(let axis)? = gather.attribute("axis") { Int(axis) } else { 0 }
            return axis == source.axis ? gather.outputs.first : nil
        }
        guard !elements.isEmpty else { return nil }
        var lists: [List] = []
        for state in 0..<node.inputs.count - 2 {
            guard names.producer(node.inputs[2 + state], "SequenceEmpty") != nil else { continue }
            guard let list = Self.list(state, node, body, names, inner) else { return nil }
            lists.append(list)
        }
        self.node = node
        self.body = body
        self.inner = inner
        self.source = source
        self.lists = lists
        trips = node.inputs[0]
    }

    /// A state as a list, if the body appends to it and the loop's reader stacks it.
    private static func list(
        _ state: Int,
        _ node: Node,
        _ body: Graph,
        _ names: LoopNames,
        _ inner: LoopNames
    ) -> List? {
        let (given, made) = (body.inputs[2 + state].name, body.outputs[1 + state].name)
        guard state < node.outputs.count, names.useCount(node.outputs[state]) == 1,
            let stack = names.nodes.first(where: { $0.inputs == [node.outputs[state]] }),
            stack.operatorType == "ConcatFromSequence", stack.domain.isEmpty,
            case .int(let axis)? = stack.attribute("axis"), let stacked = stack.outputs.first,
            let insertion = inner.producer(made, "SequenceInsert"), insertion.inputs.count == 2,
            insertion.inputs[0] == given, inner.useCount(given) == 1, inner.useCount(made) == 1
        else { return nil }
        var part = insertion.inputs[1]
        if stack.attribute("new_axis") != .int(1) {
            // Parts that were given the axis before they were joined along it.
            guard let unsqueeze = inner.producer(part, "Unsqueeze"), unsqueeze.inputs.count == 2,
                inner.integers(unsqueeze.inputs[1]) == [Int(axis)]
            else { return nil }
            part = unsqueeze.inputs[0]
        }
        return List(state: state, part: part, stacked: stacked, axis: Int(axis))
    }

    /// The Scan, and what it reads that was not there.
    func nodes(_ names: inout FusedNames) -> [Node] {
        let isList = Set(lists.map(\.state))
        let states = (0..<node.inputs.count - 2).filter { !isList.contains($0) }
        let scanOutputs = node.inputs.count - 2..<body.outputs.count - 1
        var nodes = inner.nodes
        // What is gathered again equals the first.
        for index in nodes.indices where elements.dropFirst().contains(nodes[index].outputs.first ?? "") {
            nodes[index] = Node("Identity", inputs: [elements[0]], outputs: nodes[index].outputs)
        }
        nodes.removeAll { $0.outputs.first == elements[0] }
        var results: [String] = []
        let wanted =
            states.map { body.outputs[1 + $0].name } + lists.map(\.part)
            + scanOutputs.map { body.outputs[1 + $0].name }
        for name in wanted {
            // An output that is one already, or none of the body's own, is handed on under a name of its own.
            let isOwn = nodes.contains { $0.outputs.contains(name) } && !results.contains(name)
            let result = isOwn ? name : names.make()
            if !isOwn { nodes.append(Node("Identity", inputs: [name], outputs: [result])) }
            results.append(result)
        }
        var scanned = body
        scanned.nodes = nodes
        scanned.outputs = results.map { ValueInfo($0) }
        let needed = NeededNodes(of: scanned, for: results)
        scanned.nodes = zip(nodes, needed.nodes).compactMap { $1 ? $0 : nil }
        let trip = body.inputs[0].name
        let counts = needed.names.contains(trip)
        scanned.inputs =
            states.map { body.inputs[2 + $0] } + [ValueInfo(elements[0])] + (counts ? [body.inputs[0]] : [])

        var before: [Node] = []
        var inputs = states.map { node.inputs[2 + $0] } + [source.tensor]
        if counts {
            let (zero, one, count, positions) = (names.make(), names.make(), names.make(), names.make())
            before = [
                Self.constant(0, zero), Self.constant(1, one),
                // The number of trips may be a list of one.
                Node("Squeeze", inputs: [trips], outputs: [count]),
                Node("Range", inputs: [zero, count, one], outputs: [positions]),
            ]
            inputs.append(positions)
        }
        func output(_ index: Int) -> String { index < node.outputs.count ? node.outputs[index] : "" }
        let scan = Node(
            "Scan",
            name: node.name,
            inputs: inputs,
            outputs: states.map(output) + lists.map(\.stacked) + scanOutputs.map(output),
            attributes: [
                Attribute("num_scan_inputs", .int(counts ? 2 : 1)), Attribute("body", .graph(scanned)),
                Attribute("scan_input_axes", .ints([Int64(source.axis)] + (counts ? [0] : []))),
                Attribute(
                    "scan_output_axes",
                    .ints(lists.map { Int64($0.axis) } + scanOutputs.map { _ in 0 })
                ),
            ]
        )
        return before + [scan]
    }

    private static func constant(_ value: Int64, _ name: String) -> Node {
        let tensor = Initializer(name, Tensor(scalar: value))
        return Node(
            "Constant",
            inputs: [],
            outputs: [name],
            attributes: [Attribute("value", .tensor(tensor))]
        )
    }
}
