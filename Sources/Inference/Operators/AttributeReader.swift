import ONNXGraph
import TensorCore

/// Hands a node's attributes to its operator, once each, and knows which were never asked for.
struct AttributeReader {
    /// The operator's name, such as `Conv`.
    let operatorType: String
    /// The version of the default opset that the model imports.
    let opset: Int
    /// The number of inputs written in the node, absent ones in between included.
    let inputCount: Int
    /// The number of inputs written in the node, absent ones at the end included.
    let writtenInputCount: Int
    /// The number of outputs written in the node.
    let outputCount: Int
    /// The number of outputs written in the node, absent ones at the end included.
    let writtenOutputCount: Int

    /// For each input written in the node, whether it is there.
    private let presentInputs: [Bool]
    private var unread: [String: Attribute.Value] = [:]
    private let makeSubgraph: (Graph, String) throws(PlanError) -> Subgraph

    /// A reader of a node's attributes.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - opset: The version of the node's domain.
    ///   - makeSubgraph: Plans the subgraph of an attribute, given its name.
    init(
        _ node: Node,
        opset: Int,
        makeSubgraph: @escaping (Graph, String) throws(PlanError) -> Subgraph
    ) {
        operatorType = node.operatorType
        self.opset = opset
        inputCount = node.inputs.lastIndex { !$0.isEmpty }.map { $0 + 1 } ?? 0
        outputCount = node.outputs.lastIndex { !$0.isEmpty }.map { $0 + 1 } ?? 0
        writtenInputCount = node.inputs.count
        presentInputs = node.inputs.map { !$0.isEmpty }
        writtenOutputCount = node.outputs.count
        self.makeSubgraph = makeSubgraph
        for attribute in node.attributes { unread[attribute.name] = attribute.value }
    }

    /// Whether the node has an input, and does not leave it out.
    func hasInput(_ index: Int) -> Bool { index < presentInputs.count && presentInputs[index] }

    /// Checks the number of inputs.
    func expectInputs(_ allowed: ClosedRange<Int>) throws(OperatorError) {
        guard allowed.contains(inputCount) else { throw .inputCount(inputCount, allowed: allowed) }
    }

    /// Checks the number of outputs.
    func expectOutputs(_ allowed: ClosedRange<Int>) throws(OperatorError) {
        guard allowed.contains(outputCount) else { throw .outputCount(outputCount, allowed: allowed) }
    }

    /// Whether the node has an attribute that was not read yet.
    func has(_ name: String) -> Bool { unread[name] != nil }

    mutating func int(_ name: String) throws(OperatorError) -> Int? {
        guard let value = unread.removeValue(forKey: name) else { return nil }
        guard case .int(let int) = value else { throw .attributeType(name, expected: "int") }
        return Int(int)
    }

    mutating func int(_ name: String, default standard: Int) throws(OperatorError) -> Int {
        try int(name) ?? standard
    }

    /// An int that must be 0 or 1.
    mutating func flag(_ name: String, default standard: Bool) throws(OperatorError) -> Bool {
        switch try int(name) {
        case nil: return standard
        case 0: return false
        case 1: return true
        default: throw .attributeValue(name)
        }
    }

    mutating func float(_ name: String) throws(OperatorError) -> Float? {
        guard let value = unread.removeValue(forKey: name) else { return nil }
        guard case .float(let float) = value else { throw .attributeType(name, expected: "float") }
        return float
    }

    mutating func float(_ name: String, default standard: Float) throws(OperatorError) -> Float {
        try float(name) ?? standard
    }

    mutating func string(_ name: String) throws(OperatorError) -> String? {
        guard let value = unread.removeValue(forKey: name) else { return nil }
        guard case .string(let string) = value else { throw .attributeType(name, expected: "string") }
        return string
    }

    mutating func ints(_ name: String) throws(OperatorError) -> [Int]? {
        guard let value = unread.removeValue(forKey: name) else { return nil }
        guard case .ints(let ints) = value else { throw .attributeType(name, expected: "ints") }
        return ints.map { Int($0) }
    }

    mutating func floats(_ name: String) throws(OperatorError) -> [Float]? {
        guard let value = unread.removeValue(forKey: name) else { return nil }
        guard case .floats(let floats) = value else { throw .attributeType(name, expected: "floats") }
        return floats
    }

    mutating func strings(_ name: String) throws(OperatorError) -> [String]? {
        guard let value = unread.removeValue(forKey: name) else { return nil }
        guard case .strings(let strings) = value else { throw .attributeType(name, expected: "strings") }
        return strings
    }

    mutating func tensor(_ name: String) throws(OperatorError) -> Tensor? {
        guard let value = unread.removeValue(forKey: name) else { return nil }
        guard case .tensor(let initializer) = value else { throw .attributeType(name, expected: "tensor") }
        do throws(ModelError) { return try initializer.tensor() } catch { throw .subgraphPlan(.model(error)) }
    }

    /// A tensor of strings.
    mutating func stringTensor(_ name: String) throws(OperatorError) -> StringTensor? {
        guard case .tensor(let initializer)? = unread[name], initializer.isText else { return nil }
        unread[name] = nil
        do throws(ModelError) { return try initializer.strings() } catch {
            throw .subgraphPlan(.model(error))
        }
    }

    /// Leaves an attribute unread that says nothing an operator needs.
    mutating func ignore(_ name: String) { unread[name] = nil }

    /// The plan of a subgraph; values it captures become further inputs of the node.
    mutating func subgraph(_ name: String) throws(OperatorError) -> Subgraph {
        guard let value = unread.removeValue(forKey: name) else { throw .missingAttribute(name) }
        guard case .graph(let graph) = value else { throw .attributeType(name, expected: "graph") }
        do throws(PlanError) { return try makeSubgraph(graph, name) } catch { throw .subgraphPlan(error) }
    }

    /// Refuses attributes that no one has read.
    func finish() throws(OperatorError) {
        if let name = unread.keys.min() { throw .unknownAttribute(name) }
    }
}
