import Inference
import ONNXGraph
import TensorCore

/// Makes batch statistics outputs of the graph, from any depth of Scan, Loop and If.
///
/// Level by level outward a value becomes one more scan output of the body and one more output of the node, which adds
/// an axis of steps in front; through If one more output of both branches, where the other branch puts out zeros.
/// A BatchNormalization in training mode is written with plain operators on the way.
struct StatisticExporter {
    private let model: Model
    private let opset: Int
    private let padding: Padding
    private let trace: MaskTrace
    private let exports: [Export]
    private let computed: [NodePath: FoundSite]
    private let branchShapes: [Export: Tensor]
    private let forced: [NodePath: Bool]
    private var divisions: [NodePath: String] = [:]
    private var shared: SharedNames
    private var usesMask = false

    /// Exports the statistics of sites.
    ///
    /// - Parameters:
    ///   - sites: The sites of the model.
    ///   - model: The training graph.
    ///   - mask: The name of the model's mask input, if it has one.
    ///   - padding: What expanded normalizations are estimated over.
    ///   - branchShapes: What a branch that is not taken puts out for values inside of loops.
    ///   - forced: If nodes that take one branch, whatever their condition is.
    /// - Returns: The graph and the names of the values.
    /// - Throws: ``FreezeError/noMask(label:at:)``, ``FreezeError/notExposable(operatorType:label:at:)``.
    static func export(
        _ sites: [FoundSite],
        of model: Model,
        mask: String?,
        padding: Padding,
        branchShapes: [Export: Tensor] = [:],
        forced: [NodePath: Bool] = [:]
    ) throws(FreezeError) -> EstimationGraph {
        var exporter = StatisticExporter(model, sites, mask, padding, branchShapes, forced)
        let scope = ValueScope(opset: exporter.opset).entering(model.graph, at: .root, owner: nil)
        var (graph, names) = try exporter.visit(model.graph, at: .root, scope)
        var changed = model
        let maskInput = exporter.usesMask ? exporter.trace.root : nil
        if let maskInput {
            graph.inputs.append(ValueInfo(maskInput, elementType: .float32, dimensions: nil))
        }
        for export in exporter.exports where names[export] == nil {
            if case .value(let name, .root) = export { names[export] = name }
        }
        changed.graph = graph
        exporter.shared.addConstants(to: &changed)
        return EstimationGraph(model: changed, names: names, maskInput: maskInput)
    }

    private init(
        _ model: Model,
        _ sites: [FoundSite],
        _ mask: String?,
        _ padding: Padding,
        _ branchShapes: [Export: Tensor],
        _ forced: [NodePath: Bool]
    ) {
        self.model = model
        self.padding = padding
        self.branchShapes = branchShapes
        self.forced = forced
        opset = model.opsetImports[""] ?? 0
        shared = SharedNames(model)
        trace = MaskTrace(input: mask, root: shared.names.fresh("sequence_mask"))
        var seen: Set<Export> = []
        exports = sites.flatMap { SiteExports($0).all }.filter { seen.insert($0).inserted }
        var computed: [NodePath: FoundSite] = [:]
        for site in sites where site.isComputed {
            if site.isNormalization { computed[site.site.path] = site }
            for path in site.frozen?.nodes ?? [] { computed[path] = site }
        }
        self.computed = computed
    }

    private mutating func visit(
        _ graph: Graph,
        at path: NodePath,
        _ scope: ValueScope
    ) throws(FreezeError) -> (Graph, [Export: String]) {
        var graph = graph
        var nodes: [Node] = []
        var names: [Export: String] = [:]
        for (index, original) in graph.nodes.enumerated() {
            let nodePath = path.appending(original, at: index)
            var node = original
            if concerns(nodePath) {
                node = try expose(node, at: nodePath, scope, &names)
            }
            guard let site = computed[nodePath] else {
                nodes.append(node)
                continue
            }
            var writer = NodeWriter(opset: opset, shared, prefix: site.site.label)
            let mask = try mask(for: site, in: scope, before: index)
            if let frozen = site.frozen, !site.isNormalization {
                node = frozen.recomputed(node, at: nodePath, mask: mask, &divisions, site, &names, &writer)
                nodes += writer.takeNodes()
                nodes.append(node)
            } else {
                let values = BatchNormalizationExpander.expand(
                    node,
                    mask: mask,
                    padding: padding,
                    &writer
                )
                names[.computed(nodePath, .mean)] = values.mean
                names[.computed(nodePath, .variance)] = values.variance
                names[.computed(nodePath, .count)] = values.count
                names[.computed(nodePath, .total)] = values.total
                nodes += writer.takeNodes()
            }
            shared = writer.shared
        }
        nodes += appendedNodes(at: path, &names)
        graph.nodes = nodes
        return (graph, names)
    }

    private func concerns(_ path: NodePath) -> Bool {
        exports.contains { $0.home.steps.starts(with: path.steps, by: NodePath.Step.isWay) }
    }

    private mutating func mask(
        for site: FoundSite,
        in scope: ValueScope,
        before index: Int
    ) throws(FreezeError) -> String? {
        guard padding != .include else { return nil }
        guard let mask = trace.mask(in: scope, before: index) else {
            throw .noMask(label: site.site.label, at: site.site.path)
        }
        if mask == trace.root { usesMask = true }
        return mask
    }

    /// The values of this graph that are no outputs of its nodes yet.
    private mutating func appendedNodes(at path: NodePath, _ names: inout [Export: String]) -> [Node] {
        var writer = NodeWriter(opset: opset, shared, prefix: path.description)
        for export in exports where export.home == path {
            switch export {
            case .value(let name, _): names[export] = name
            case .ratio(let value, let result, _):
                names[export] = writer.add("Div", [writer.size(value), writer.size(result)])
            case .reached: names[export] = writer.constant(Tensor(scalar: Float(1)))
            case .computed: break
            }
        }
        shared = writer.shared
        return writer.takeNodes()
    }

    /// Exports what is inside of a node's subgraphs, and adds the outputs to the node.
    private mutating func expose(
        _ original: Node,
        at path: NodePath,
        _ scope: ValueScope,
        _ names: inout [Export: String]
    ) throws(FreezeError) -> Node {
        var node = original
        var bodies: [(attribute: String, graph: Graph, names: [Export: String])] = []
        for (attribute, subgraph) in node.subgraphs {
            let inner = path.entering(attribute)
            let innerScope = scope.entering(subgraph, at: inner, owner: original)
            let (body, inside) = try visit(subgraph, at: inner, innerScope)
            bodies.append((attribute, body, inside))
        }
        let carried = exports.filter { export in bodies.contains { $0.names[export] != nil } }
        guard !carried.isEmpty else {
            for body in bodies { node.replaceSubgraph(body.attribute, by: body.graph) }
            return node
        }
        guard node.isScan(opset: opset) || node.isLoop || node.isConditional else {
            let label = label(of: carried[0])
            throw .notExposable(operatorType: node.operatorType, label: label, at: path)
        }
        let declared = (bodies.map(\.graph.outputs.count).max() ?? 0) - (node.isLoop ? 1 : 0)
        while node.outputs.count < declared { node.outputs.append("") }
        if node.isConditional, let branch = forced[path] {
            node.inputs = [shared.constant(Tensor(scalar: branch), named: "condition")]
        }
        for export in carried {
            for position in bodies.indices {
                let value = bodies[position].names[export] ?? zeros(for: export)
                append(value, to: &bodies[position].graph)
            }
            let outer = shared.names.fresh("\(path)/export")
            node.outputs.append(outer)
            names[export] = outer
            guard node.isScan(opset: opset) else { continue }
            let states = node.inputs.count - node.scanInputCount
            let count = max(1, node.outputs.count - states)
            node.append(0, toList: "scan_output_axes", ofCount: count)
            node.append(node.scansBackward ? 1 : 0, toList: "scan_output_directions", ofCount: count)
        }
        for body in bodies { node.replaceSubgraph(body.attribute, by: body.graph) }
        return node
    }

    private mutating func append(_ value: String, to body: inout Graph) {
        let output = shared.names.fresh("export")
        body.nodes.append(Node("Identity", name: output, inputs: [value], outputs: [output]))
        body.outputs.append(ValueInfo(output, elementType: .float32, dimensions: nil))
    }

    /// What a branch that does not make a value puts out for it.
    private mutating func zeros(for export: Export) -> String {
        if let zeros = branchShapes[export] { return shared.constant(zeros, named: "not_taken") }
        if case .reached = export, !export.home.hasLoopInsideBranch {
            return shared.constant(Tensor(scalar: Float(0)), named: "not_taken")
        }
        return shared.constant(Tensor(repeating: Float(0), shape: [0]), named: "not_taken")
    }

    private func label(of export: Export) -> String {
        switch export {
        case .value(let name, _), .ratio(_, let name, _): name
        case .computed(let path, _), .reached(let path): path.description
        }
    }
}
