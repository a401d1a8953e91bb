import ONNXGraph
import TensorCore

/// Writes nodes of one graph in the model's opset, with names that nothing else in the model has.
///
/// Constants go into the model's own graph, where every graph can see them.
struct NodeWriter {
    let opset: Int
    var shared: SharedNames
    /// What stands before the names of values that are only steps on the way.
    var prefix: String
    private(set) var nodes: [Node] = []

    init(opset: Int, _ shared: SharedNames, prefix: String) {
        self.opset = opset
        self.shared = shared
        self.prefix = prefix
    }

    /// A name with the writer's prefix that nothing has.
    mutating func fresh(_ name: String) -> String { shared.names.fresh("\(prefix)/\(name)") }

    /// A constant; equal ones are written once.
    mutating func constant(_ tensor: Tensor, named name: String = "constant") -> String {
        shared.constant(tensor, named: name)
    }

    /// A constant vector of whole numbers.
    mutating func constant(_ numbers: [Int64]) -> String {
        guard let vector = try? Tensor(numbers, shape: Shape(checking: [numbers.count])) else {
            return constant(Tensor(scalar: Int64(0)))
        }
        return constant(vector)
    }

    /// The nodes written since the last time, and none left.
    mutating func takeNodes() -> [Node] {
        defer { nodes = [] }
        return nodes
    }

    /// Adds a node as it is.
    mutating func add(_ node: Node) { nodes.append(node) }

    /// A node with one output.
    @discardableResult
    mutating func add(
        _ type: String,
        _ inputs: [String],
        _ attributes: [Attribute] = [],
        named output: String? = nil
    ) -> String {
        let value = output ?? fresh(type)
        nodes.append(Node(type, name: value, inputs: inputs, outputs: [value], attributes: attributes))
        return value
    }

    /// A reduction that keeps its axes, which are an attribute in older opsets and an input in newer ones.
    mutating func reduce(_ type: String, _ value: String, axes: [Int64]) -> String {
        let firstWithInput = type == "ReduceSum" ? 13 : 18
        if opset < firstWithInput { return add(type, [value], [Attribute("axes", .ints(axes))]) }
        return add(type, [value, constant(axes)])
    }

    /// A value in another shape; 0 copies an axis, -1 is what is left.
    mutating func reshape(_ value: String, to shape: [Int64], named output: String? = nil) -> String {
        add("Reshape", [value, constant(shape)], named: output)
    }

    /// The number of elements of a value as float32.
    mutating func size(_ value: String) -> String {
        add("Cast", [add("Size", [value])], [Attribute("to", .int(1))])
    }
}

/// Names that no value of a model has.
struct NameSource {
    private var taken: Set<String>

    init(_ taken: Set<String>) { self.taken = taken }

    /// The proposal itself, or the proposal with a number; it is taken from then on.
    mutating func fresh(_ proposal: String) -> String {
        var name = proposal
        var number = 1
        while !taken.insert(name).inserted {
            number += 1
            name = "\(proposal).\(number)"
        }
        return name
    }
}

/// The names of a model and the constants that are added to its own graph.
struct SharedNames {
    var names: NameSource
    private(set) var constants: [Initializer] = []
    private var known: [String: String] = [:]

    init(_ model: Model) { names = NameSource(model.graph.allValueNames) }

    /// The name of a constant; one that is equal to an earlier one has its name.
    mutating func constant(_ tensor: Tensor, named name: String) -> String {
        let longestShared = 16
        guard tensor.count <= longestShared else { return add(tensor, named: name) }
        let key = "\(tensor.elementType) \(tensor.shape) \(tensor.withBytes { Array($0) })"
        if let known = known[key] { return known }
        let fresh = add(tensor, named: name)
        known[key] = fresh
        return fresh
    }

    /// Adds a constant under a name of its own.
    mutating func add(_ tensor: Tensor, named name: String) -> String {
        let fresh = names.fresh(name)
        constants.append(Initializer(fresh, tensor))
        return fresh
    }

    /// Puts the constants into the model's own graph.
    ///
    /// In IR version 3 a constant must be an input as well.
    func addConstants(to model: inout Model) {
        model.graph.initializers += constants
        guard model.irVersion < 4 else { return }
        model.graph.inputs += constants.map { constant in
            ValueInfo(
                constant.name,
                elementType: constant.elementType ?? .float32,
                dimensions: constant.dimensions.map(Dimension.fixed)
            )
        }
    }
}
