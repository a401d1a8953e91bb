import ONNXGraph
import TensorCore

/// A graph and the graphs around it, ready to ask who makes and who reads a value.
struct ValueScope {
    /// One graph on the way from the model's own graph inward.
    struct Level {
        let path: NodePath
        let nodes: [Node]
        let makers: [String: Int]
        let readers: [String: [Int]]
        let constants: [String: Initializer]
        let inputs: [String]
        let outputs: Set<String>
        let declared: [String: ValueInfo]
        /// The node that holds this graph as a subgraph; nil for the model's own.
        let owner: Node?
    }

    private(set) var levels: [Level] = []
    let opset: Int

    init(opset: Int) { self.opset = opset }

    /// The scope of a graph at a path.
    init(_ model: Model, at path: NodePath) throws(ModelError) {
        self.init(opset: model.opsetImports[""] ?? 0)
        enter(model.graph, at: .root, owner: nil)
        var prefix = NodePath.root
        for step in path.steps {
            guard let level = current, let body = step.body, level.nodes.indices.contains(step.index),
                let subgraph = level.nodes[step.index].subgraphs.first(where: { $0.attribute == body })
            else { throw .unknownPath(path) }
            let node = level.nodes[step.index]
            prefix = prefix.appending(node, at: step.index).entering(body)
            enter(subgraph.graph, at: prefix, owner: node)
        }
    }

    /// The same scope with a graph further inward.
    func entering(_ graph: Graph, at path: NodePath, owner: Node?) -> ValueScope {
        var scope = self
        scope.enter(graph, at: path, owner: owner)
        return scope
    }

    private mutating func enter(_ graph: Graph, at path: NodePath, owner: Node?) {
        var makers: [String: Int] = [:]
        var readers: [String: [Int]] = [:]
        var constants: [String: Initializer] = [:]
        for initializer in graph.initializers { constants[initializer.name] = initializer }
        let nodes = graph.nodes
        for (index, node) in nodes.enumerated() {
            for output in node.outputs where !output.isEmpty { makers[output] = index }
            for input in node.inputs where !input.isEmpty { readers[input, default: []].append(index) }
            if let constant = node.constant, let output = node.outputs.first {
                constants[output] = constant
            }
        }
        let declared = (graph.inputs + graph.outputs + graph.valueInfos).map { ($0.name, $0) }
        levels.append(
            Level(
                path: path,
                nodes: nodes,
                makers: makers,
                readers: readers,
                constants: constants,
                inputs: graph.inputs.map(\.name),
                outputs: Set(graph.outputs.map(\.name)),
                declared: Dictionary(declared) { first, _ in first },
                owner: owner
            )
        )
    }

    /// The innermost graph.
    var current: Level? { levels.last }

    /// The scope without its innermost graph.
    var outer: ValueScope {
        var scope = self
        scope.levels = Array(levels.dropLast())
        return scope
    }

    /// The scope of the graph that makes a value, which may be further outward.
    func home(of value: String) -> ValueScope? {
        var scope = self
        while let level = scope.current {
            if level.makers[value] != nil || level.constants[value] != nil || level.inputs.contains(value) {
                return scope
            }
            scope = scope.outer
        }
        return nil
    }

    /// The node that makes a value, in this graph or one around it.
    func maker(of value: String) -> (node: Node, index: Int, scope: ValueScope)? {
        guard let scope = home(of: value), let level = scope.current, let index = level.makers[value] else {
            return nil
        }
        return (level.nodes[index], index, scope)
    }

    /// The constant that a value is, in this graph or one around it, through Identity, Cast and changes of shape.
    func constant(_ value: String) -> Tensor? {
        var name = value
        var scope = self
        let longestWay = 16
        for _ in 0..<longestWay {
            guard let home = scope.home(of: name), let level = home.current else { return nil }
            if let constant = level.constants[name] { return try? constant.tensor() }
            guard let index = level.makers[name], let input = level.nodes[index].inputs.first,
                level.nodes[index].keepsElements || level.nodes[index].operatorType == "Cast"
            else { return nil }
            name = input
            scope = home
        }
        return nil
    }

    /// The only number that a constant holds.
    func number(_ value: String) -> Double? { constant(value)?.onlyNumber }
}

extension Node {
    /// The tensor of a Constant node.
    var constant: Initializer? {
        guard operatorType == "Constant", domain.isEmpty else { return nil }
        for attribute in attributes {
            let tensor: Tensor
            switch attribute.value {
            case .tensor(let initializer) where attribute.name == "value": return initializer
            case .float(let number): tensor = Tensor(scalar: number)
            case .int(let number): tensor = Tensor(scalar: number)
            case .floats(let list):
                guard let vector = try? Tensor(list, shape: Shape(checking: [list.count])) else { return nil }
                tensor = vector
            case .ints(let list):
                guard let vector = try? Tensor(list, shape: Shape(checking: [list.count])) else { return nil }
                tensor = vector
            default: return nil
            }
            return Initializer(outputs.first ?? "", tensor)
        }
        return nil
    }

    /// Whether the node gives its first input's elements as they are, at most with another shape.
    var keepsElements: Bool {
        domain.isEmpty
            && ["Identity", "Unsqueeze", "Squeeze", "Reshape", "Flatten", "Expand"].contains(operatorType)
    }

    /// An attribute that is a whole number.
    func int(_ name: String) -> Int? {
        guard case .int(let value)? = attribute(name) else { return nil }
        return Int(value)
    }

    /// An attribute that is a list of whole numbers.
    func ints(_ name: String) -> [Int]? {
        guard case .ints(let values)? = attribute(name) else { return nil }
        return values.map { Int($0) }
    }
}

extension Tensor {
    /// The number of a tensor with one element.
    var onlyNumber: Double? { count == 1 ? numbers?.first : nil }

    /// The elements as Double; nil for bools and 16-bit floats.
    var numbers: [Double]? {
        switch elementType {
        case .float32: array(of: Float.self).map(Double.init)
        case .float64: array(of: Double.self)
        case .int64: array(of: Int64.self).map { Double($0) }
        case .int32: array(of: Int32.self).map { Double($0) }
        case .bool: array(of: Bool.self).map { $0 ? 1 : 0 }
        default: nil
        }
    }
}
