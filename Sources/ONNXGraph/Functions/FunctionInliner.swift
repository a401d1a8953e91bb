internal import SwiftProtobuf

/// Puts the nodes of functions in the places of the nodes that call them, in valid models.
struct FunctionInliner {
    let functions: FunctionTable
    var names: FreshNames
    /// The versions of the model's operator sets, those that only functions import included.
    private(set) var opsets: [String: Int]
    private let limitBytes: Int
    private var remainingBytes: Int

    init(functions: FunctionTable, names: FreshNames, opsets: [String: Int], limitBytes: Int) {
        self.functions = functions
        self.names = names
        self.opsets = opsets
        self.limitBytes = limitBytes
        remainingBytes = limitBytes
    }

    /// Inlines the calls in a graph and its subgraphs.
    mutating func inline(_ graph: inout ProtoGraph, at path: NodePath) throws(ModelError) {
        var nodes: [ProtoNode] = []
        nodes.reserveCapacity(graph.node.count)
        for (index, node) in graph.node.enumerated() {
            try append(node, at: path.appending(Node(proto: node, folder: nil), at: index), to: &nodes)
        }
        graph.node = nodes
    }

    /// Appends a node of the calling graph, or what it calls.
    private mutating func append(
        _ node: ProtoNode,
        at path: NodePath,
        to nodes: inout [ProtoNode]
    ) throws(ModelError) {
        var node = node
        for index in node.attribute.indices {
            let place = path.entering(node.attribute[index].name)
            if node.attribute[index].hasG { try inline(&node.attribute[index].g, at: place) }
            for position in node.attribute[index].graphs.indices {
                try inline(&node.attribute[index].graphs[position], at: place)
            }
        }
        guard let function = functions.function(calledBy: node) else { return nodes.append(node) }
        let label = path.steps.last?.label ?? ""
        var call = FunctionCall(of: function, by: node, label: label, at: path)
        for (index, body) in function.node.enumerated() {
            var copy = body
            try rewrite(&copy, for: &call)
            let place = NodePath.root.appending(Node(proto: body, folder: nil), at: index)
            copy.name = "\(label)/\(place)"
            try spend(copy.name.utf8.count, at: path)
            try append(copy, at: path.graph.appending(Node(proto: copy, folder: nil), at: index), to: &nodes)
        }
        for (input, output) in call.copies where !input.isEmpty {
            if opsets[""] == nil { opsets[""] = Int(Model.supportedOpsets.upperBound) }
            nodes.append(
                Node("Identity", name: "\(label)/\(output)", inputs: [input], outputs: [output]).proto
            )
        }
    }

    /// Makes a function's node one of the calling graph: names, attributes, versions of operator sets.
    private mutating func rewrite(_ node: inout ProtoNode, for call: inout FunctionCall) throws(ModelError) {
        try spend(64, at: call.path)
        try rename(&node.input, for: &call)
        try rename(&node.output, for: &call)
        var attributes: [ProtoAttribute] = []
        for attribute in node.attribute {
            try spend(64, at: call.path)
            guard let given = try resolve(attribute, for: call) else { continue }
            var own = given.attribute
            if given.isOwn {
                if own.hasG { try rewrite(&own.g, for: &call) }
                for index in own.graphs.indices { try rewrite(&own.graphs[index], for: &call) }
            }
            attributes.append(own)
        }
        node.attribute = attributes
        note(importsOf: call.function, in: &node)
    }

    private mutating func rewrite(_ graph: inout ProtoGraph, for call: inout FunctionCall) throws(ModelError)
    {
        for index in graph.input.indices { try rename(&graph.input[index].name, for: &call) }
        for index in graph.output.indices { try rename(&graph.output[index].name, for: &call) }
        for index in graph.initializer.indices { try rename(&graph.initializer[index].name, for: &call) }
        // What is known of values in between stands under their old names.
        graph.valueInfo = []
        for index in graph.node.indices { try rewrite(&graph.node[index], for: &call) }
    }

    private mutating func rename(_ values: inout [String], for call: inout FunctionCall) throws(ModelError) {
        for index in values.indices { try rename(&values[index], for: &call) }
    }

    private mutating func rename(_ value: inout String, for call: inout FunctionCall) throws(ModelError) {
        value = call.name(of: value, from: &names)
        try spend(16 + value.utf8.count, at: call.path)
    }

    /// An attribute as it is in the calling graph, and whether its graphs are the function's; nil if the call
    /// does not give it.
    private func resolve(
        _ attribute: ProtoAttribute,
        for call: FunctionCall
    ) throws(ModelError) -> (attribute: ProtoAttribute, isOwn: Bool)? {
        guard !attribute.refAttrName.isEmpty else { return (attribute, true) }
        let given = call.attributes[attribute.refAttrName]
        let value = given ?? call.function.attributeProto.first { $0.name == attribute.refAttrName }
        guard var value else { return nil }
        guard value.type == attribute.type else {
            let declared = AttributeType.name(ofCode: attribute.type)
            throw .invalidAttribute(attribute.refAttrName, at: call.path, .typeMismatch(declared: declared))
        }
        value.name = attribute.name
        return (value, given == nil)
    }

    /// Keeps which version of its operator set a node was written for, where the model has another.
    private mutating func note(importsOf function: ProtoFunction, in node: inout ProtoNode) {
        let domain = Model.canonicalDomain(node.domain)
        let entry = function.opsetImport.first { Model.canonicalDomain($0.domain) == domain }
        guard let version = entry.map({ Int($0.version) }) else { return }
        let known = opsets[domain] ?? version
        opsets[domain] = known
        guard known != version else { return }
        var wrapped = Node(proto: node, folder: nil)
        wrapped.opset = version
        node = wrapped.proto
    }

    private mutating func spend(_ bytes: Int, at path: NodePath) throws(ModelError) {
        remainingBytes -= bytes
        guard remainingBytes >= 0 else {
            throw .inlinedTooLarge(limitBytes: limitBytes, at: path)
        }
    }
}
