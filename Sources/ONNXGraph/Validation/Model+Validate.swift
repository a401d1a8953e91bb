extension Model {
    /// Checks the structure: everything an engine may rely on before it looks at operators.
    ///
    /// That is: IR and opset versions in range; every operator set imported; every value made once and before
    /// it is read, at every depth of subgraphs, values of enclosing graphs included; outputs of graphs made in
    /// them; initializers unique and, in IR version 3, inputs; attributes of the type they declare; tensors
    /// with valid dimensions and as many elements as these say; no subgraph deeper than
    /// ``maximumSubgraphDepth``. Whether an operator is known, and what it needs, is not checked here.
    ///
    /// - Throws: The first fault found, with its place.
    /// - Complexity: O(size of the model); elements of tensors are not read.
    public func validate() throws(ModelError) {
        guard proto.hasGraph else { throw .missingGraph }
        guard Self.supportedIRVersions.contains(irVersion) else {
            throw .unsupportedIRVersion(irVersion, supported: Self.supportedIRVersions)
        }
        var domains: Set<String> = []
        for entry in proto.opsetImport {
            let domain = Self.canonicalDomain(entry.domain)
            guard domains.insert(domain).inserted else { throw .duplicateOpsetImport(domain: domain) }
            guard !domain.isEmpty || Self.supportedOpsets.contains(entry.version) else {
                throw .unsupportedOpset(entry.version, supported: Self.supportedOpsets)
            }
        }
        if irVersion < 4 { try Self.checkInitializersAreInputs(proto.graph) }
        var validator = GraphValidator(domains: domains)
        try validator.validate(proto.graph, at: .root)
    }

    private static func checkInitializersAreInputs(_ graph: ProtoGraph) throws(ModelError) {
        let inputs = Set(graph.input.map(\.name))
        for initializer in graph.initializer where !inputs.contains(initializer.name) {
            throw .initializerIsNoInput(initializer.name, graph: .root)
        }
    }
}
