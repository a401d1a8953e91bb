public import TensorCore

/// In which order the steps of a loop stand in a value that was exposed through it.
public enum ExposureOrder: Sendable {
    /// The order the steps run in.
    case iteration
    /// The order of the positions of what is scanned: reversed where every input is scanned backward.
    case position
}

extension Model {
    /// Makes a value inside of a nested Scan or Loop body visible in the model's own graph.
    ///
    /// Level by level outward, the value becomes one more scan output of the body and one more output of the
    /// node. Each level adds an axis of steps in front: a value `[C]` of a body in a body becomes
    /// `[outer steps, inner steps, C]`.
    ///
    /// - Parameters:
    ///   - value: The name of a value that the graph at `path` makes, an input of that graph included.
    ///   - path: The graph; for ``NodePath/root`` nothing changes.
    ///   - elementType: The value's element type, for the declaration of the new outputs.
    ///   - order: The order of the steps.
    /// - Returns: The changed model, and the name the value has in its own graph.
    /// - Throws: ``ModelError/unknownValue(_:graph:)``, ``ModelError/unknownPath(_:)``, or
    ///   ``ModelError/notExposable(operatorType:at:)`` where a level is not a Scan (opset 9 or later) or Loop.
    public func exposing(
        _ value: String,
        in path: NodePath,
        elementType: ElementType = .float32,
        order: ExposureOrder = .iteration
    ) throws(ModelError) -> (model: Model, value: String) {
        var names = graph.allValueNames
        let opset = opsetImports[""] ?? 0
        var exposure = Exposure(
            value: value,
            path: path,
            elementType: elementType,
            order: order,
            opset: opset
        )
        var changed = self
        var top = graph
        let name = try exposure.expose(in: &top, level: 0, names: &names)
        changed.graph = top
        return (changed, name)
    }

    /// Adds an output to the model's own graph.
    ///
    /// - Parameters:
    ///   - value: The name of a value of the graph; nothing changes if it is an output already.
    ///   - elementType: The value's element type, where the graph does not declare it.
    ///   - dimensions: The value's axes, where the graph does not declare them; nil if they are not known,
    ///     which ONNX's checker does not take.
    /// - Throws: ``ModelError/unknownValue(_:graph:)``.
    public mutating func addOutput(
        _ value: String,
        elementType: ElementType = .float32,
        dimensions: [Dimension]? = nil
    ) throws(ModelError) {
        guard !proto.graph.output.contains(where: { $0.name == value }) else { return }
        guard graph.defines(value) else { throw .unknownValue(value, graph: .root) }
        let declared = proto.graph.valueInfo.first { $0.name == value }
        let output = ValueInfo(value, elementType: elementType, dimensions: dimensions)
        proto.graph.output.append(declared ?? output.proto)
    }
}

extension Graph {
    /// Whether the graph itself makes a value, as an input, an initializer or an output of a node.
    func defines(_ value: String) -> Bool {
        proto.node.contains { $0.output.contains(value) } || proto.input.contains { $0.name == value }
            || proto.initializer.contains { $0.name == value }
    }
}

/// One value on its way outward.
private struct Exposure {
    let value: String
    let path: NodePath
    let elementType: ElementType
    let order: ExposureOrder
    let opset: Int

    /// Exposes the value in the graph at a level of the path.
    mutating func expose(
        in graph: inout Graph,
        level: Int,
        names: inout Set<String>
    ) throws(ModelError) -> String {
        guard level < path.steps.count else {
            guard graph.defines(value) else { throw .unknownValue(value, graph: path) }
            return value
        }
        let step = path.steps[level]
        guard let bodyName = step.body, var node = graph.node(at: step),
            var body = node.subgraphs.first(where: { $0.attribute == bodyName })?.graph
        else { throw .unknownPath(path) }
        let isScan = node.operatorType == "Scan" && opset >= 9
        guard node.domain.isEmpty, isScan || node.operatorType == "Loop" else {
            throw .notExposable(operatorType: node.operatorType, at: path)
        }
        let inner = try expose(in: &body, level: level + 1, names: &names)
        addOutput(inner, to: &body, names: &names)

        // The condition that a Loop's body puts out first is no output of the node.
        let outputCount = body.proto.output.count - (isScan ? 0 : 1)
        while node.outputs.count < outputCount - 1 { node.outputs.append("") }
        let outer = Graph.freshName("\(step.label)/\(value)", taken: &names)
        node.outputs.append(outer)
        node.replaceSubgraph(bodyName, by: body)
        if isScan { appendScanOutput(to: &node) }
        graph.proto.node[step.index] = node.proto
        return outer
    }

    /// A value that is an output already, or that no node of the body makes, is put out as a copy.
    private func addOutput(_ inner: String, to body: inout Graph, names: inout Set<String>) {
        let isMadeByNode = body.proto.node.contains { $0.output.contains(inner) }
        let isOutput = body.proto.output.contains { $0.name == inner }
        var output = inner
        if !isMadeByNode || isOutput {
            output = Graph.freshName("\(inner)/exposed", taken: &names)
            body.proto.node.append(Node("Identity", name: output, inputs: [inner], outputs: [output]).proto)
        }
        body.proto.output.append(ValueInfo(output, elementType: elementType, dimensions: nil).proto)
    }

    private func appendScanOutput(to node: inout Node) {
        let runsBackward: Bool
        if case .ints(let directions)? = node.attribute("scan_input_directions"), !directions.isEmpty {
            runsBackward = order == .position && directions.allSatisfy { $0 == 1 }
        } else {
            runsBackward = false
        }
        let scanInputs: Int
        if case .int(let count)? = node.attribute("num_scan_inputs") {
            scanInputs = Int(clamping: count)
        } else {
            scanInputs = 0
        }
        let states = max(0, node.inputs.count - max(0, min(scanInputs, node.inputs.count)))
        let scanOutputs = max(1, node.outputs.count - states)
        node.append(0, toList: "scan_output_axes", ofCount: scanOutputs)
        node.append(runsBackward ? 1 : 0, toList: "scan_output_directions", ofCount: scanOutputs)
    }
}

extension Node {
    fileprivate mutating func replaceSubgraph(_ attribute: String, by graph: Graph) {
        guard let index = proto.attribute.firstIndex(where: { $0.name == attribute }) else { return }
        proto.attribute[index].g = graph.proto
    }

    /// Appends to a list of one number for each of `count` outputs; a list that is absent means zeros.
    fileprivate mutating func append(_ element: Int64, toList attribute: String, ofCount count: Int) {
        if let index = proto.attribute.firstIndex(where: { $0.name == attribute }) {
            proto.attribute[index].ints.append(element)
        } else if element != 0 {
            let list = [Int64](repeating: 0, count: count - 1) + [element]
            proto.attribute.append(Attribute(attribute, .ints(list)).proto)
        }
    }
}
