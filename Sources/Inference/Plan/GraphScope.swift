import ONNXGraph
import TensorCore

/// The names a graph's nodes may use, and the plan graph made of them so far; one a graph and subgraph.
///
/// Nodes are added in order and computed at once if all their inputs are constants. A name that only an enclosing
/// graph knows becomes a constant here if it is one there, else a capture, at every depth in between.
final class GraphScope {
    private let parent: GraphScope?
    private let path: NodePath
    private let opsets: [String: Int]
    private let depth: Int
    private let disabled: Set<PassName>
    private let usesHalves: Bool
    private let allowance: PlanAllowance
    private let usesOtherValues: Bool
    private var names: [String: PlanGraph.ValueID] = [:]
    private(set) var graph = PlanGraph()
    /// The enclosing graph's values that stand behind `graph.captures`.
    private var capturedFrom: [PlanGraph.ValueID] = []

    init(
        path: NodePath,
        opsets: [String: Int],
        parent: GraphScope?,
        disabled: Set<PassName> = [],
        usesHalves: Bool = false,
        usesOtherValues: Bool = false,
        allowance: PlanAllowance = PlanAllowance(.standard)
    ) {
        self.usesOtherValues = usesOtherValues
        graph.hasOtherValues = usesOtherValues
        self.usesHalves = usesHalves
        self.allowance = allowance
        self.path = path
        self.disabled = disabled
        self.opsets = opsets
        self.parent = parent
        depth = parent.map { $0.depth + 1 } ?? 0
    }

    /// Adds a graph's inputs, initializers and nodes.
    ///
    /// - Parameters:
    ///   - source: The graph.
    ///   - outputs: The names of the values the plan must give.
    /// - Throws: The first rule that is broken, with its place.
    func add(_ source: Graph, outputs: [String]) throws(PlanError) {
        let limit = allowance.limits.nestingDepth
        guard depth <= limit else { throw .nestedTooDeep(path: path, limit: limit) }
        let needed = NeededNodes(of: source, for: outputs)
        for initializer in source.initializers where needed.names.contains(initializer.name) {
            if initializer.isText {
                try addStrings(initializer)
                continue
            }
            do throws(ModelError) {
                define(initializer.name, constant: try initializer.tensor())
            } catch {
                throw .model(error)
            }
        }
        for input in source.inputs where parent != nil || names[input.name] == nil {
            graph.inputs.append(define(input.name))
        }
        for (index, node) in source.nodes.enumerated() where needed.nodes[index] {
            try add(node, path: path.appending(node, at: index))
        }
        for name in outputs {
            guard let id = resolve(name) else { throw .unknownValue(path: path, name: name) }
            graph.outputs.append(id)
        }
    }

    /// Strings are no constants of a program but what a node without inputs gives.
    private func addStrings(_ initializer: Initializer) throws(PlanError) {
        let strings: StringTensor
        do throws(ModelError) { strings = try initializer.strings() } catch { throw .model(error) }
        graph.nodes.append(
            PlanGraph.Node(
                path: path,
                operatorType: "Constant",
                computation: StringConstant(strings),
                inputs: [],
                outputs: [define(initializer.name)]
            )
        )
    }

    @discardableResult
    private func define(_ name: String, constant: Tensor? = nil) -> PlanGraph.ValueID {
        let id = graph.addValue(named: name, constant: constant)
        names[name] = id
        return id
    }

    private func resolve(_ name: String) -> PlanGraph.ValueID? {
        if let id = names[name] { return id }
        guard let parent, let outer = parent.resolve(name) else { return nil }
        if let constant = parent.graph.values[outer].constant { return define(name, constant: constant) }
        let id = define(name)
        graph.captures.append(id)
        capturedFrom.append(outer)
        return id
    }

    private func add(_ node: Node, path: NodePath) throws(PlanError) {
        try allowance.takeNode(at: path)
        var inputs: [PlanGraph.ValueID?] = []
        for name in node.inputs.prefix((node.inputs.lastIndex { !$0.isEmpty } ?? -1) + 1) {
            guard !name.isEmpty else {
                inputs.append(nil)
                continue
            }
            guard let id = resolve(name) else { throw .unknownValue(path: path, name: name) }
            inputs.append(id)
        }
        let (computation, captured) = try makeOperator(node, path: path, captureStart: inputs.count)
        inputs += captured
        // What has no inputs is a constant as it is written.
        let isFolded = inputs.isEmpty || !disabled.contains(.constantFolding)
        if isFolded, computation.isFoldable,
            inputs.allSatisfy({ $0 == nil || graph.constant($0) != nil })
        {
            let constants = inputs.map { graph.constant($0) }
            let count = node.outputs.count
            if let results = ConstantFolding.evaluate(
                computation,
                constants,
                outputs: count,
                allowance.limits
            ) {
                for (name, result) in zip(node.outputs, results) where !name.isEmpty {
                    define(name, constant: result)
                }
                return
            }
        }
        let outputs = node.outputs.map { $0.isEmpty ? nil : define($0) }
        graph.nodes.append(
            PlanGraph.Node(
                path: path,
                operatorType: node.operatorType,
                computation: computation,
                inputs: inputs,
                outputs: outputs
            )
        )
    }

    private func makeOperator(
        _ node: Node,
        path: NodePath,
        captureStart: Int
    ) throws(PlanError) -> (any Operator, captured: [PlanGraph.ValueID]) {
        let domain = node.domain == "ai.onnx" ? "" : node.domain
        let opset = node.opset ?? opsets[domain] ?? 0
        guard let entry = OperatorRegistry.entry(node.operatorType, domain: domain, opset: opset) else {
            throw .unsupportedOperator(
                path: path,
                operatorType: node.operatorType,
                domain: domain,
                opset: opset
            )
        }
        let captured = CapturedValues()
        var reader = AttributeReader(node, opset: opset) { (body, attribute) throws(PlanError) in
            let scope = GraphScope(
                path: path.entering(attribute),
                opsets: self.opsets,
                parent: self,
                disabled: self.disabled,
                usesHalves: self.usesHalves,
                usesOtherValues: self.usesOtherValues,
                allowance: self.allowance
            )
            try scope.add(body, outputs: body.outputs.map(\.name))
            scope.graph.isScanBody = domain.isEmpty && node.operatorType == "Scan"
            scope.graph.foldsKnownValues = !self.disabled.contains(.knownValues)
            PlannerPasses.run(on: &scope.graph, without: self.disabled)
            let start = captureStart + captured.ids.count
            captured.ids += scope.capturedFrom
            return Subgraph(
                program: Program(scope.graph),
                graph: scope.graph,
                captureStart: start,
                captureCount: scope.capturedFrom.count
            )
        }
        do throws(OperatorError) {
            var computation = try OperatorRegistry.make(entry, &reader)
            try reader.finish()
            if usesHalves && !computation.takesHalves {
                computation = ThroughFloat32(computation: computation)
            }
            if usesOtherValues, let operation = computation as? any TakingStrings {
                computation = ThroughIndices(computation: operation)
            }
            return (computation, captured.ids)
        } catch .subgraphPlan(let error) {
            throw error
        } catch {
            throw .invalidNode(path: path, operatorType: node.operatorType, reason: error)
        }
    }
}

/// The enclosing graph's values that the subgraphs of one node capture, in order.
private final class CapturedValues {
    var ids: [PlanGraph.ValueID] = []
}
