extension Model {
    /// Whether any tensor of the model, at any depth, is in another file.
    public var hasExternalData: Bool {
        proto.graph.contains { $0.dataLocation == 1 }
            || proto.functions.contains { $0.body.contains { $0.dataLocation == 1 } }
    }

    /// Takes all tensors that are in other files into the model, so that it can be written anywhere.
    ///
    /// - Throws: ``ModelError/invalidTensor(_:_:)`` if one cannot be read; the model is then unchanged.
    public mutating func embedExternalData() throws(ModelError) {
        let folder = folder
        func embed(_ tensor: inout ProtoTensor) throws(ModelError) {
            guard tensor.dataLocation == 1 else { return }
            var initializer = Initializer(proto: tensor, folder: folder)
            initializer.replaceElements(by: try initializer.tensor())
            tensor = initializer.proto
        }
        var message = proto
        try message.graph.forEachTensor(embed)
        for index in message.functions.indices {
            var body = message.functions[index].body
            try body.forEachTensor(embed)
            message.functions[index].node = body.node
        }
        proto = message
    }
}

extension ProtoGraph {
    /// Whether a tensor of the graph or of its subgraphs has a property.
    fileprivate func contains(where isWanted: (ProtoTensor) -> Bool) -> Bool {
        initializer.contains(where: isWanted)
            || node.contains { node in
                node.attribute.contains { attribute in
                    (attribute.hasT && isWanted(attribute.t)) || attribute.tensors.contains(where: isWanted)
                        || (attribute.hasG && attribute.g.contains(where: isWanted))
                        || attribute.graphs.contains { $0.contains(where: isWanted) }
                }
            }
    }

    /// Changes every tensor of the graph and of its subgraphs.
    fileprivate mutating func forEachTensor(
        _ body: (inout ProtoTensor) throws(ModelError) -> Void
    ) throws(ModelError) {
        for index in initializer.indices { try body(&initializer[index]) }
        for index in node.indices {
            for position in node[index].attribute.indices {
                var attribute = node[index].attribute[position]
                if attribute.hasT { try body(&attribute.t) }
                for tensor in attribute.tensors.indices { try body(&attribute.tensors[tensor]) }
                if attribute.hasG { try attribute.g.forEachTensor(body) }
                for graph in attribute.graphs.indices { try attribute.graphs[graph].forEachTensor(body) }
                node[index].attribute[position] = attribute
            }
        }
    }
}

extension ProtoFunction {
    /// The function's nodes as a graph.
    fileprivate var body: ProtoGraph {
        var graph = ProtoGraph()
        graph.node = node
        return graph
    }
}
