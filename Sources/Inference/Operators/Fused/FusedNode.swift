import ONNXGraph

/// A node of a fused operator on its way to the plain nodes that it stands for.
///
/// Every plain node is one of ONNX's own operators, which the planner knows, and bears the name of the fused node
/// before its own.
struct FusedNode {
    /// The version of ONNX's operator set whose rules the plain nodes follow.
    static let opset = 24

    /// The fused node's attributes.
    var reader: AttributeReader
    /// The plain nodes so far.
    private(set) var nodes: [Node] = []
    private let node: Node
    private let label: String
    private var names: FusedNames

    init(_ node: Node, label: String, names: FusedNames) {
        self.node = node
        self.label = label
        self.names = names
        // None of the fused operators has a subgraph.
        reader = AttributeReader(node, opset: 1) { (_, attribute) throws(PlanError) in
            throw .unknownValue(path: .root, name: attribute)
        }
    }

    /// The name of an input, nil if it is absent.
    func input(_ index: Int) -> String? {
        guard index < node.inputs.count, !node.inputs[index].isEmpty else { return nil }
        return node.inputs[index]
    }

    /// The name of an input that must be there.
    func required(_ index: Int) throws(OperatorError) -> String {
        guard let name = input(index) else { throw .missingInput(index) }
        return name
    }

    /// The name of an output, nil if nobody wants it.
    func output(_ index: Int) -> String? {
        guard index < node.outputs.count, !node.outputs[index].isEmpty else { return nil }
        return node.outputs[index]
    }

    /// Refuses inputs that the plain nodes do not know what to do with.
    func refuseInputs(_ indices: ClosedRange<Int>) throws(OperatorError) {
        for index in indices where input(index) != nil { throw .inputValue(input: index) }
    }

    /// Refuses outputs that the plain nodes cannot give.
    func refuseOutputs(from count: Int) throws(OperatorError) {
        try reader.expectOutputs(0...count)
    }

    /// Appends a plain node.
    ///
    /// - Parameters:
    ///   - type: The operator.
    ///   - inputs: The names of its inputs.
    ///   - attributes: Its attributes.
    ///   - domain: Its domain.
    ///   - outputs: The names of its outputs, nil for new ones.
    /// - Returns: The names of its outputs.
    @discardableResult
    mutating func put(
        _ type: String,
        _ inputs: [String],
        _ attributes: [Attribute] = [],
        domain: String = "",
        outputs: [String?]
    ) -> [String] {
        let results = outputs.map { $0 ?? names.make() }
        var plain = Node(
            type,
            name: "\(label)/\(type)#\(nodes.count)",
            domain: domain,
            inputs: inputs,
            outputs: results,
            attributes: attributes
        )
        plain.opset = Self.opset
        nodes.append(plain)
        return results
    }

    /// Appends a plain node with one output.
    @discardableResult
    mutating func put(
        _ type: String,
        _ inputs: [String],
        _ attributes: [Attribute] = [],
        domain: String = "",
        to output: String? = nil
    ) -> String {
        put(type, inputs, attributes, domain: domain, outputs: [output])[0]
    }

    /// Appends a constant.
    mutating func constant(_ value: Attribute.Value) -> String {
        let name =
            switch value {
            case .float: "value_float"
            case .floats: "value_floats"
            case .int: "value_int"
            default: "value_ints"
            }
        return put("Constant", [], [Attribute(name, value)])
    }

    /// The sum of two values, or the first if there is no second.
    mutating func sum(_ a: String, _ b: String?, to output: String? = nil) -> String {
        if let b { return put("Add", [a, b], to: output) }
        guard let output else { return a }
        return put("Identity", [a], to: output)
    }

    /// Ends the node: every attribute must have been read.
    mutating func finished() throws(OperatorError) -> (nodes: [Node], names: FusedNames) {
        try reader.finish()
        return (nodes, names)
    }
}

/// Gives out names of values that the model does not have.
struct FusedNames {
    private let taken: Set<String>
    private var count = 0

    init(taken: Set<String>) { self.taken = taken }

    mutating func make() -> String {
        var name: String
        repeat {
            count += 1
            name = "fused.\(count)"
        } while taken.contains(name)
        return name
    }
}
