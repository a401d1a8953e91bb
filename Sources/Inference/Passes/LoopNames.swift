import ONNXGraph
import TensorCore

/// Who makes and who reads the values of a graph that may have a loop to rewrite, and which of them are constants.
struct LoopNames {
    let nodes: [Node]
    private let outer: [LoopNames]
    private let producers: [String: Int]
    private let initializers: [String: Initializer]
    private let useCounts: [String: Int]

    /// The names of a graph.
    ///
    /// - Parameters:
    ///   - graph: The graph.
    ///   - outputs: Values that are asked for beside its outputs.
    ///   - outer: The names of the graph that it is a body in; none for a model's own.
    init(_ graph: Graph, keeping outputs: [String] = [], in outer: LoopNames? = nil) {
        nodes = graph.nodes
        self.outer = outer.map { [$0] } ?? []
        var producers: [String: Int] = [:]
        var useCounts: [String: Int] = [:]
        for (index, node) in nodes.enumerated() {
            for name in node.outputs { producers[name] = index }
            Self.count(node, &useCounts, depth: 0)
        }
        for name in graph.outputs.map(\.name) + outputs { useCounts[name, default: 0] += 1 }
        self.producers = producers
        self.useCounts = useCounts
        initializers = Dictionary(graph.initializers.map { ($0.name, $0) }) { first, _ in first }
    }

    private static func count(_ node: Node, _ counts: inout [String: Int], depth: Int) {
        for name in node.inputs { counts[name, default: 0] += 1 }
        guard depth <= ModelLimits.deepestNesting else { return }
        for (_, body) in node.subgraphs {
            for output in body.outputs { counts[output.name, default: 0] += 1 }
            for inner in body.nodes { count(inner, &counts, depth: depth + 1) }
        }
    }

    /// How often a value is read, at any depth, as an output included.
    func useCount(_ name: String) -> Int { useCounts[name] ?? 0 }

    /// The node of this graph that gives a value.
    func producer(_ name: String) -> Node? { producers[name].map { nodes[$0] } }

    /// The node of this graph that gives a value, if it is an operator of ONNX's own of some type.
    func producer(_ name: String, _ operatorType: String) -> Node? {
        guard let node = producer(name), node.domain.isEmpty, node.operatorType == operatorType else {
            return nil
        }
        return node
    }

    /// The elements of a constant of whole numbers or bools, whatever its shape.
    func integers(_ name: String, depth: Int = 0) -> [Int]? {
        guard depth < 8 else { return nil }
        if let initializer = initializers[name] { return Self.integers(initializer) }
        guard let node = producer(name) else { return outer.first?.integers(name, depth: depth + 1) }
        guard node.domain.isEmpty, let first = node.operatorType == "Constant" ? "" : node.inputs.first else {
            return nil
        }
        switch node.operatorType {
        case "Constant":
            for attribute in node.attributes {
                switch (attribute.name, attribute.value) {
                case ("value", .tensor(let tensor)): return Self.integers(tensor)
                case ("value_int", .int(let value)): return [Int(value)]
                case ("value_ints", .ints(let values)): return values.map { Int($0) }
                default: continue
                }
            }
            return nil
        case "Identity", "Squeeze", "Unsqueeze": return integers(first, depth: depth + 1)
        default: return nil
        }
    }

    private static func integers(_ initializer: Initializer) -> [Int]? {
        let dimensions = initializer.dimensions
        guard dimensions.count <= 2, dimensions.allSatisfy({ (0...64).contains($0) }), !initializer.isText,
            let tensor = try? initializer.tensor()
        else { return nil }
        if tensor.elementType == .bool { return tensor.array(of: Bool.self).map { $0 ? 1 : 0 } }
        return tensor.elementType == .int64 || tensor.elementType == .int32
            ? try? tensor.integers(input: 0) : nil
    }

    /// A tensor and one of its axes, if a value is the length of that axis: an element of its Shape.
    func length(_ name: String, depth: Int = 0) -> (tensor: String, axis: Int)? {
        guard depth < 8, let node = producer(name), node.domain.isEmpty, let first = node.inputs.first else {
            return nil
        }
        func attribute(_ name: String) -> Int? {
            if case .int(let value)? = node.attribute(name) { Int(value) } else { nil }
        }
        switch node.operatorType {
        case "Identity", "Squeeze", "Unsqueeze": return length(first, depth: depth + 1)
        case "Shape":
            // From -1 to 0 there is nothing.
            guard let start = attribute("start"), let end = attribute("end"), start != -1, end == start &+ 1
            else {
                return nil
            }
            return (first, start)
        case "Gather":
            guard let shape = producer(first, "Shape"), shape.attributes.isEmpty, shape.inputs.count == 1,
                node.inputs.count == 2, attribute("axis") ?? 0 == 0, let index = integers(node.inputs[1]),
                index.count == 1
            else { return nil }
            return (shape.inputs[0], index[0])
        default: return nil
        }
    }

    /// The value that another equals because it is a Slice of all elements of it, or an Identity.
    func whole(_ name: String, depth: Int = 0) -> String {
        guard depth < 8, let node = producer(name), node.domain.isEmpty, let source = node.inputs.first else {
            return name
        }
        switch node.operatorType {
        case "Identity": return whole(source, depth: depth + 1)
        case "Slice":
            guard node.inputs.count >= 3, let starts = integers(node.inputs[1]),
                let ends = integers(node.inputs[2]), starts.allSatisfy({ $0 == 0 }),
                // Longer than any axis can be.
                ends.allSatisfy({ $0 >= Shape.maximumElementCount }),
                node.inputs.count < 5 || integers(node.inputs[4])?.allSatisfy({ $0 == 1 }) ?? false
            else { return name }
            return whole(source, depth: depth + 1)
        default: return name
        }
    }
}
