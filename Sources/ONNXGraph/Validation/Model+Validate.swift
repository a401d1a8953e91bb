extension Model {
    /// Checks the structure: everything an engine may rely on before it looks at operators.
    ///
    /// That is: IR and opset versions in range; every operator set imported; every value made once and before
    /// it is read, at every depth of subgraphs, values of enclosing graphs included; outputs of graphs made in
    /// them; initializers unique and, in IR version 3, inputs; attributes of the type they declare; tensors
    /// with valid dimensions and as many elements as these say; nesting, nodes and tensors within ``limits``; the
    /// same for the bodies of functions, none of which calls itself by any way or calls others deeper than
    /// ``ModelLimits/functionDepth``. Whether an operator is known, and what it needs, is not checked here.
    ///
    /// - Throws: The first fault found, with its place.
    /// - Complexity: O(size of the model); elements of tensors are not read.
    public func validate() throws(ModelError) {
        guard proto.hasGraph else { throw .missingGraph }
        guard Self.supportedIRVersions.contains(irVersion) else {
            throw .unsupportedIRVersion(irVersion, supported: Self.supportedIRVersions)
        }
        let domains = try Self.checkedDomains(of: proto.opsetImport)
        if irVersion < 4 { try Self.checkInitializersAreInputs(proto.graph) }
        let functions = try FunctionTable(proto.functions)
        var validator = GraphValidator(domains: domains, functions: functions, limits: limits)
        try validator.validate(proto.graph, at: .root)
        var functionValidator = FunctionValidator(functions, limits)
        try functionValidator.validate(proto.functions)
    }

    /// The domains that are imported, each once and in a version that is read.
    static func checkedDomains(of imports: [ProtoOperatorSet]) throws(ModelError) -> Set<String> {
        var domains: Set<String> = []
        for entry in imports {
            let domain = canonicalDomain(entry.domain)
            guard domains.insert(domain).inserted else { throw .duplicateOpsetImport(domain: domain) }
            guard !domain.isEmpty || supportedOpsets.contains(entry.version) else {
                throw .unsupportedOpset(entry.version, supported: supportedOpsets)
            }
        }
        return domains
    }

    private static func checkInitializersAreInputs(_ graph: ProtoGraph) throws(ModelError) {
        let inputs = Set(graph.input.map(\.name))
        for initializer in graph.initializer where !inputs.contains(initializer.name) {
            throw .initializerIsNoInput(initializer.name, graph: .root)
        }
    }
}
