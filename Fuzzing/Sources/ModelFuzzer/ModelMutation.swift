import Foundation
import Inference
import ModelTrial

@testable import ONNXGraph

/// Changes of a model that mostly leave it a model: other operators, wires, attributes, constants, types, shapes.
struct ModelMutation {
    var choices: Choices

    init(_ choices: Choices) { self.choices = choices }

    private static let operators = OperatorRegistry.supported.map(\.name)

    mutating func change(_ model: inout ProtoModel) {
        switch choices.below(16) {
        case 0: model.producerVersion = String(choices.below(1000))
        case 1 where !model.opsetImport.isEmpty: model.opsetImport[0].version = Int64(6 + choices.below(23))
        default: change(&model.graph)
        }
    }

    private mutating func change(_ graph: inout ProtoGraph) {
        if let (node, attribute) = subgraph(of: graph), choices.once(in: 2) {
            return change(&graph.node[node].attribute[attribute].g)
        }
        let names = Self.names(of: graph)
        let node = choices.below(graph.node.count)
        switch choices.below(15) {
        case 0 where !graph.node.isEmpty:
            graph.node[node].opType = choices.pick(Self.operators) ?? "Add"
        case 1...3 where !graph.node.isEmpty: changeAttributes(&graph.node[node].attribute)
        case 4...5 where !graph.node.isEmpty:
            rewire(&graph.node[node], names)
        case 6 where !graph.node.isEmpty: insert(graph.node[node], into: &graph, names)
        case 7 where graph.node.count > 1: graph.node.remove(at: node)
        case 8: graph.initializer.append(constant(named: "k\(graph.initializer.count)"))
        case 9 where !graph.initializer.isEmpty:
            let index = choices.below(graph.initializer.count)
            graph.initializer[index] = constant(named: graph.initializer[index].name)
        case 10 where !graph.initializer.isEmpty: fixInput(&graph)
        case 11 where !graph.input.isEmpty: retype(&graph.input[choices.below(graph.input.count)])
        case 12: expose(&graph, names)
        case 13 where graph.output.count > 1: graph.output.remove(at: choices.below(graph.output.count))
        default:
            if !graph.initializer.isEmpty {
                disturb(&graph.initializer[choices.below(graph.initializer.count)])
            }
        }
    }

    /// Takes a node of another model in, with constants it may read.
    mutating func take(from other: ProtoGraph, into graph: inout ProtoGraph) {
        for tensor in other.initializer.prefix(8) where tensor.rawData.count < 512 {
            if !graph.initializer.contains(where: { $0.name == tensor.name }) {
                graph.initializer.append(tensor)
            }
        }
        for _ in 0...choices.below(2) {
            guard let node = choices.pick(other.node) else { return }
            insert(node, into: &graph, Self.names(of: graph))
        }
    }

    // MARK: Nodes

    private mutating func insert(_ node: ProtoNode, into graph: inout ProtoGraph, _ names: [String]) {
        var node = node
        let place = choices.below(graph.node.count + 1)
        for index in node.input.indices where !node.input[index].isEmpty && !choices.once(in: 4) {
            node.input[index] = choices.pick(names) ?? ""
        }
        for index in node.output.indices where !node.output[index].isEmpty {
            node.output[index] = "n\(choices.next() % 100_000)"
        }
        graph.node.insert(node, at: place)
        if let name = node.output.first { expose(&graph, [name]) }
    }

    private mutating func rewire(_ node: inout ProtoNode, _ names: [String]) {
        switch choices.below(6) {
        case 0: node.input.append(choices.pick(names) ?? "")
        case 1 where !node.input.isEmpty: node.input.removeLast()
        case 2 where !node.input.isEmpty: node.input[choices.below(node.input.count)] = ""
        case 3: node.output.append("m\(choices.next() % 100_000)")
        default:
            if !node.input.isEmpty { node.input[choices.below(node.input.count)] = choices.pick(names) ?? "" }
        }
    }

    private mutating func expose(_ graph: inout ProtoGraph, _ names: [String]) {
        guard let name = choices.pick(names) else { return }
        var output = ProtoValueInfo()
        output.name = name
        graph.output.append(output)
    }

    private mutating func subgraph(of graph: ProtoGraph) -> (Int, Int)? {
        let places = graph.node.enumerated().flatMap { index, node in
            node.attribute.indices.filter { node.attribute[$0].hasG }.map { (index, $0) }
        }
        return choices.pick(places)
    }

    private static func names(of graph: ProtoGraph) -> [String] {
        graph.input.map(\.name) + graph.initializer.map(\.name)
            + graph.node.flatMap(\.output).filter { !$0.isEmpty }
    }

    // MARK: Attributes

    private mutating func changeAttributes(_ attributes: inout [ProtoAttribute]) {
        guard !attributes.isEmpty else { return }
        let index = choices.below(attributes.count)
        if choices.once(in: 6) {
            attributes.remove(at: index)
            return
        }
        switch AttributeType(rawValue: attributes[index].type) {
        case .float: attributes[index].f = choices.float()
        case .int: attributes[index].i = choices.once(in: 3) ? Int64(choices.below(17)) : choices.integer()
        case .ints: change(&attributes[index].ints) { $0.integer() }
        case .floats: change(&attributes[index].floats) { $0.float() }
        case .string:
            let words = [
                "", "SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET", "reflect", "edge", "wrap", "linear",
                "nearest",
            ]
            attributes[index].s = Data((choices.pick(words) ?? "").utf8)
        case .tensor:
            if choices.once(in: 2) {
                attributes[index].t = constant(named: "")
            } else {
                disturb(&attributes[index].t)
            }
        default: break
        }
    }

    private mutating func change<T>(_ values: inout [T], _ value: (inout Choices) -> T) {
        switch choices.below(4) {
        case 0: values.append(value(&choices))
        case 1 where !values.isEmpty: values.remove(at: choices.below(values.count))
        default: if !values.isEmpty { values[choices.below(values.count)] = value(&choices) }
        }
    }
}
