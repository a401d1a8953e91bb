import Inference
import ONNXGraph
import TensorCore

/// Makes batch statistics outputs of the graph, from any depth of Scan, Loop and If.
///
/// Level by level outward a value becomes one more scan output of the body and one more output of the node, which adds
/// an axis of steps in front; through If one more output of both branches, where the other branch puts out zeros.
/// A loop in a loop may run another number of steps each time: then what it puts out is cut or filled with zeros to the length
/// that ``EstimationGraph/stepsInput`` says, and it puts out as well where it ran.
/// A BatchNormalization in training mode is written with plain operators on the way.
struct StatisticExporter {
    private let model: Model
    private let opset: Int
    private let padding: Padding
    private let trace: MaskTrace
    private let sites: [FoundSite]
    private let exports: [Export]
    private let computed: [NodePath: FoundSite]
    private let branchShapes: [Export: Tensor]
    private let forced: [NodePath: Bool]
    private let levelling: StepLevelling?
    private var positionMasks: PositionMasks?
    private var divisions: [NodePath: String] = [:]
    private var shared: SharedNames
    private var usesMask = false

    /// Exports the statistics of sites.
    ///
    /// - Parameters:
    ///   - sites: The sites of the model.
    ///   - model: The training graph.
    ///   - signature: What the model's inputs mean, where that is known.
    ///   - padding: What expanded normalizations are estimated over.
    ///   - branchShapes: What a branch that is not taken puts out for one step of values inside of loops.
    ///   - forced: If nodes that take one branch, whatever their condition is.
    ///   - levelsSteps: Whether loops in loops may run another number of steps each time.
    /// - Returns: The graph and the names of the values.
    /// - Throws: ``FreezeError/noMask(label:at:reason:)``, ``FreezeError/notExposable(operatorType:label:at:)``,
    ///   ``FreezeError/unsupportedOpset(_:reason:)`` where `levelsSteps` needs a newer one.
    static func export(
        _ sites: [FoundSite],
        of model: Model,
        signature: Signature?,
        padding: Padding,
        branchShapes: [Export: Tensor] = [:],
        forced: [NodePath: Bool] = [:],
        levelsSteps: Bool = false
    ) throws(FreezeError) -> EstimationGraph {
        var exporter = StatisticExporter(model, sites, signature, padding, branchShapes, forced, levelsSteps)
        guard !levelsSteps || exporter.opset >= StepLevelling.firstOpset else {
            throw .unsupportedOpset(
                exporter.opset,
                reason:
                    "a loop in a loop runs another number of steps each time, which needs the Pad of opset "
                    + "\(StepLevelling.firstOpset)"
            )
        }
        let scope = ValueScope(opset: exporter.opset).entering(model.graph, at: .root, owner: nil)
        var (graph, names) = try exporter.visit(model.graph, at: .root, scope)
        var changed = model
        let maskInput = exporter.usesMask ? exporter.trace.root : nil
        if let maskInput {
            graph.inputs.append(ValueInfo(maskInput, elementType: .float32, dimensions: nil))
        }
        if let levelling = exporter.levelling {
            graph.inputs.append(ValueInfo(levelling.steps, elementType: .int64, dimensions: [.fixed(1)]))
        }
        for export in exporter.exports where names[export] == nil {
            if case .value(let name, .root) = export { names[export] = name }
        }
        changed.graph = graph
        exporter.shared.addConstants(to: &changed)
        return EstimationGraph(
            model: changed,
            names: names,
            maskInput: maskInput,
            stepsInput: exporter.levelling?.steps
        )
    }

    private init(
        _ model: Model,
        _ sites: [FoundSite],
        _ signature: Signature?,
        _ padding: Padding,
        _ branchShapes: [Export: Tensor],
        _ forced: [NodePath: Bool],
        _ levelsSteps: Bool
    ) {
        self.model = model
        self.sites = sites
        self.padding = padding
        self.branchShapes = branchShapes
        self.forced = forced
        opset = model.opsetImports[""] ?? 0
        shared = SharedNames(model)
        trace = MaskTrace(input: signature?.mask?.name, root: shared.names.fresh("sequence_mask"))
        levelling = levelsSteps ? StepLevelling(steps: shared.names.fresh("levelled_steps")) : nil
        var seen: Set<Export> = []
        exports = sites.flatMap { SiteExports($0).all + (levelsSteps ? LoopExports($0).all : []) }
            .filter { seen.insert($0).inserted }
        var computed: [NodePath: FoundSite] = [:]
        for site in sites where site.isComputed {
            if site.isNormalization { computed[site.site.path] = site }
            for path in site.frozen?.nodes ?? [] { computed[path] = site }
        }
        self.computed = computed
        if padding != .include, sites.contains(where: { $0.isComputed && $0.site.depth > 0 }) {
            let nodes = Set(sites.filter(\.isComputed).map(\.normalizingNode))
            positionMasks = PositionMasks(model, signature: signature, of: nodes, root: trace.root)
        }
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
            var levelled: [Node] = []
            if concerns(nodePath) {
                node = try expose(node, at: nodePath, scope, &names)
                levelled = level(node, at: nodePath, &names)
            }
            guard let site = computed[nodePath] else {
                nodes.append(node)
                nodes += levelled
                continue
            }
            var writer = NodeWriter(opset: opset, shared, prefix: site.site.label)
            let mask = try mask(for: site, node, in: scope, before: index, &writer)
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
        exports.contains { $0.home.isInside(path) }
    }

    /// The mask of the positions of a site, at the node that computes its statistics; nil if all positions count.
    private mutating func mask(
        for site: FoundSite,
        _ node: Node,
        in scope: ValueScope,
        before index: Int,
        _ writer: inout NodeWriter
    ) throws(FreezeError) -> String? {
        guard padding != .include, let path = scope.current?.path.appending(node, at: index),
            path == site.normalizingNode
        else { return nil }
        if let mask = trace.mask(in: scope, before: index) {
            if mask == trace.root { usesMask = true }
            return mask
        }
        do throws(UnknownPositions) {
            let mask = try positionMasks?.mask(
                of: node,
                at: path,
                isChannelsFirst: site.frozen?.isChannelsFirst ?? true,
                in: scope,
                before: index,
                &writer
            )
            guard let mask else { throw .steps }
            usesMask = true
            return mask
        } catch {
            throw .noMask(label: site.site.statedLabel, at: site.site.path, reason: error)
        }
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
            case .computed, .longest: break
            }
        }
        shared = writer.shared
        return writer.takeNodes()
    }

    /// Brings what a loop in a loop puts out to one length.
    private mutating func level(_ node: Node, at path: NodePath, _ names: inout [Export: String]) -> [Node] {
        guard let levelling, node.isScan(opset: opset) || node.isLoop else { return [] }
        let carried = exports.filter { $0.home.isInside(path) && names[$0] != nil }
        let isNested = !path.graph.loops.isEmpty
        var writer = NodeWriter(opset: opset, shared, prefix: "\(path)/levelled")
        for export in carried {
            guard let value = names[export] else { continue }
            if case .longest = export {
                names[export] = levelling.longest(of: value, &writer)
                continue
            }
            guard isNested else { continue }
            let longest = Export.longest(path)
            if names[longest] == nil { names[longest] = levelling.length(of: value, &writer) }
            names[export] = levelling.levelled(value, &writer)
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
        // What makes statistics in steps must have steps.
        guard !original.isScan(opset: opset) || original.scanInputCount > 0 else {
            throw .plan(
                .invalidNode(
                    path: path,
                    operatorType: original.operatorType,
                    reason: .attributeValue("num_scan_inputs")
                )
            )
        }
        var node = original
        var bodies: [(attribute: String, graph: Graph, names: [Export: String])] = []
        for (attribute, subgraph) in node.subgraphs {
            let inner = path.entering(attribute)
            let innerScope = scope.entering(subgraph, at: inner, owner: original)
            let (body, inside) = try visit(subgraph, at: inner, innerScope)
            bodies.append((attribute, body, inside))
        }
        if node.isScan(opset: opset), !bodies.isEmpty {
            positionMasks?.hand(to: &node, at: path, &bodies[0].graph)
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
                let value =
                    bodies[position].names[export] ?? zeros(for: export, at: path, &bodies[position].graph)
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
    private mutating func zeros(for export: Export, at path: NodePath, _ branch: inout Graph) -> String {
        if case .longest = export {
            return shared.constant(Tensor(repeating: Float(0), shape: [1]), named: "not_taken")
        }
        let outer = path.graph.loops.count
        let inner = export.home.loops.count - outer
        if case .reached = export, inner == 0 {
            return shared.constant(Tensor(scalar: Float(0)), named: "not_taken")
        }
        guard let zeros = branchShapes[export] else {
            return shared.constant(Tensor(repeating: Float(0), shape: [0]), named: "not_taken")
        }
        guard inner > 0 else { return shared.constant(zeros, named: "not_taken") }
        guard let levelling, outer > 0 else {
            return shared.constant(Tensor(repeating: Float(0), shape: [0]), named: "not_taken")
        }
        var writer = NodeWriter(opset: opset, shared, prefix: "\(path)/not_taken")
        let value = levelling.zeros(like: zeros, loops: inner, &writer)
        shared = writer.shared
        branch.nodes += writer.takeNodes()
        return value
    }

    /// What is written on a value, else the name of its site.
    private func label(of export: Export) -> String {
        for found in sites {
            let exports = SiteExports(found)
            guard exports.all.contains(export) else { continue }
            let value =
                switch export {
                case exports.mean: found.site.mean
                case exports.variance: found.site.variance
                case exports.count: found.site.count
                case exports.total: found.site.total
                default: nil as StatisticValue?
                }
            return value?.label ?? found.site.label
        }
        return export.home.description
    }
}
