/// Walks a graph and its subgraphs in the order the nodes run, and keeps which values can be seen.
struct GraphValidator {
    private struct Frame {
        let graph: ProtoGraph
        let path: NodePath
        var names: Set<String> = []
    }

    private let domains: Set<String>
    private let functions: FunctionTable
    /// The attributes of the function whose body is validated; nil for a model's graph.
    private let references: Set<String>?
    private let limits: ModelLimits
    private var frames: [Frame] = []
    private var nodeCount = 0

    init(domains: Set<String>, functions: FunctionTable, references: Set<String>? = nil, limits: ModelLimits)
    {
        self.domains = domains
        self.functions = functions
        self.references = references
        self.limits = limits
    }

    mutating func validate(_ graph: ProtoGraph, at path: NodePath) throws(ModelError) {
        guard path.depth <= limits.nestingDepth else {
            throw .nestedTooDeep(at: path, limit: limits.nestingDepth)
        }
        nodeCount += graph.node.count
        guard nodeCount <= limits.nodes else { throw .tooManyNodes(at: path, limit: limits.nodes) }
        guard graph.sparseInitializer.isEmpty else {
            throw .unsupportedFeature("a sparse initializer", at: path)
        }
        frames.append(Frame(graph: graph, path: path))
        defer { frames.removeLast() }
        try declareInputsAndInitializers(graph, at: path)
        for (index, node) in graph.node.enumerated() {
            try validate(node, at: index, of: path)
        }
        try checkOutputs(graph, at: path)
    }

    private mutating func declareInputsAndInitializers(
        _ graph: ProtoGraph,
        at path: NodePath
    ) throws(ModelError) {
        let top = frames.count - 1
        for input in graph.input {
            guard !input.name.isEmpty else { throw .missingValueName(graph: path) }
            guard frames[top].names.insert(input.name).inserted else {
                throw .duplicateValue(input.name, at: path)
            }
        }
        var initializers: Set<String> = []
        for initializer in graph.initializer {
            guard !initializer.name.isEmpty else { throw .missingValueName(graph: path) }
            guard initializers.insert(initializer.name).inserted else {
                throw .duplicateInitializer(initializer.name, graph: path)
            }
            frames[top].names.insert(initializer.name)
            try Initializer(proto: initializer, folder: nil).checkSize(limits)
        }
    }

    private mutating func validate(
        _ node: ProtoNode,
        at index: Int,
        of graph: NodePath
    ) throws(ModelError) {
        func path() -> NodePath { graph.appending(Node(proto: node, folder: nil), at: index) }
        guard !node.opType.isEmpty else { throw .missingOperatorType(at: path()) }
        let domain = Model.canonicalDomain(node.domain)
        if let function = functions.function(calledBy: node) {
            try checkCall(node, of: function, at: path)
        } else if !domains.contains(domain) {
            throw .missingOpsetImport(domain: domain, at: path())
        }
        for input in node.input where !input.isEmpty && !isVisible(input) {
            throw unresolved(input, at: path())
        }
        try AttributeValidator.check(node.attribute, references: references, limits, at: path)
        for attribute in node.attribute {
            if attribute.hasG { try validate(attribute.g, at: path().entering(attribute.name)) }
            for (position, subgraph) in attribute.graphs.enumerated() {
                try validate(subgraph, at: path().entering("\(attribute.name)[\(position)]"))
            }
        }
        for output in node.output where !output.isEmpty {
            guard !isVisible(output) else { throw .duplicateValue(output, at: path()) }
            frames[frames.count - 1].names.insert(output)
        }
    }

    private func checkCall(
        _ node: ProtoNode,
        of function: ProtoFunction,
        at path: () -> NodePath
    ) throws(ModelError) {
        guard node.input.count <= function.input.count, node.output.count <= function.output.count else {
            throw .functionSignature(
                function: "\(FunctionTable.ID(function))",
                inputs: function.input.count,
                outputs: function.output.count,
                at: path()
            )
        }
        let known = node.attribute.isEmpty ? [] : function.attributeNames
        for attribute in node.attribute where !known.contains(attribute.name) {
            throw .invalidAttribute(attribute.name, at: path(), .unknownToFunction)
        }
    }

    private func checkOutputs(_ graph: ProtoGraph, at path: NodePath) throws(ModelError) {
        var seen: Set<String> = []
        for output in graph.output {
            guard !output.name.isEmpty else { throw .missingValueName(graph: path) }
            guard frames[frames.count - 1].names.contains(output.name) else {
                throw .undefinedOutput(output.name, graph: path)
            }
            guard seen.insert(output.name).inserted || path.depth > 0 else {
                throw .duplicateValue(output.name, at: path)
            }
        }
    }

    private func isVisible(_ name: String) -> Bool {
        frames.contains { $0.names.contains(name) }
    }

    /// Why a name cannot be seen: a node of an open graph makes it too late, or nothing does.
    private func unresolved(_ name: String, at path: NodePath) -> ModelError {
        for frame in frames.reversed() {
            if let index = frame.graph.node.firstIndex(where: { $0.output.contains(name) }) {
                let maker = Node(proto: frame.graph.node[index], folder: nil)
                return .usedBeforeMade(name, at: path, madeBy: frame.path.appending(maker, at: index))
            }
        }
        return .undefinedValue(name, at: path)
    }
}
