extension Model {
    /// Checks the structure.
    ///
    /// - Throws: The first fault found.
    public func validate() throws(ModelError) {
        guard proto.hasGraph else { throw .missingGraph }
    }

    /// Whether any tensor of the model, at any depth, is in another file.
    public var hasExternalData: Bool { Self.hasExternalData(proto.graph) }

    private static func hasExternalData(_ graph: ProtoGraph) -> Bool {
        func isExternal(_ tensor: ProtoTensor) -> Bool { tensor.dataLocation == 1 }
        return graph.initializer.contains(where: isExternal)
            || graph.node.contains { node in
                node.attribute.contains { attribute in
                    (attribute.hasT && isExternal(attribute.t))
                        || attribute.tensors.contains(where: isExternal)
                        || (attribute.hasG && hasExternalData(attribute.g))
                        || attribute.graphs.contains(where: hasExternalData)
                }
            }
    }
}
