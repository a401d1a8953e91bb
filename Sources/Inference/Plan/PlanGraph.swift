import ONNXGraph
import TensorCore

/// A graph on its way to a ``Program``: the passes rewrite it, nobody runs it.
///
/// Every value has an integer id. Nodes are in topological order; each value is given by one node, an input, a
/// capture or a constant.
struct PlanGraph {
    typealias ValueID = Int

    struct Value {
        let name: String
        var constant: Tensor?
    }

    struct Node {
        let path: NodePath
        let operatorType: String
        var computation: any Operator
        /// Values by id, nil where absent; values that subgraphs capture stand at the end.
        var inputs: [ValueID?]
        /// Values by id, nil where nobody asked for one.
        var outputs: [ValueID?]
    }

    private(set) var values: [Value] = []
    var nodes: [Node] = []
    /// The formal inputs, in order.
    var inputs: [ValueID] = []
    /// Values of the enclosing graph, in the order of the captures of its node.
    var captures: [ValueID] = []
    var outputs: [ValueID] = []
    /// Whether values may be sequences, optionals or strings.
    var hasOtherValues = false
    /// Whether it is the body of a Scan.
    var isScanBody = false
    /// Whether what is known of it by the lengths of sequences may be taken out.
    var foldsKnownValues = true

    mutating func addValue(named name: String, constant: Tensor? = nil) -> ValueID {
        values.append(Value(name: name, constant: constant))
        return values.count - 1
    }

    func constant(_ id: ValueID?) -> Tensor? { id.flatMap { values[$0].constant } }

    /// Makes a value that a node gives a constant; the node does not give it any longer.
    mutating func setConstant(_ constant: Tensor, of id: ValueID, givenBy index: Int) {
        values[id].constant = constant
        for position in nodes[index].outputs.indices where nodes[index].outputs[position] == id {
            nodes[index].outputs[position] = nil
        }
    }

    /// How often each value is read, as an output of the graph included.
    func useCounts() -> [Int] {
        var counts = [Int](repeating: 0, count: values.count)
        for node in nodes { for case .some(let id) in node.inputs { counts[id] += 1 } }
        for id in outputs { counts[id] += 1 }
        return counts
    }

    /// For each value, the index of the node that gives it.
    func producers() -> [Int?] {
        var producers = [Int?](repeating: nil, count: values.count)
        for (index, node) in nodes.enumerated() {
            for case .some(let id) in node.outputs { producers[id] = index }
        }
        return producers
    }

    /// Drops the nodes that no output needs.
    mutating func removeDeadNodes() {
        var needed = [Bool](repeating: false, count: values.count)
        for id in outputs { needed[id] = true }
        var kept: [Node] = []
        for node in nodes.reversed() where node.outputs.contains(where: { $0.map { needed[$0] } ?? false }) {
            for case .some(let id) in node.inputs { needed[id] = true }
            kept.append(node)
        }
        nodes = kept.reversed()
        for index in nodes.indices {
            for position in nodes[index].outputs.indices {
                guard let id = nodes[index].outputs[position], !needed[id] else { continue }
                nodes[index].outputs[position] = nil
            }
            // An operator makes no outputs behind the last that is read.
            while nodes[index].outputs.count > 1, (nodes[index].outputs.last ?? nil) == nil {
                nodes[index].outputs.removeLast()
            }
        }
    }
}
