import Inference
import ONNXGraph
import TensorCore

/// Puts population statistics in the place of batch statistics.
///
/// Outside of loops a statistic becomes a constant; inside, what stands at `min(step, T - 1)` of one, level by level.
/// A BatchNormalization in training mode becomes one in evaluation mode. What only served the statistics is removed,
/// everything else stays as it is.
struct GraphRewriter {
    private let replacements: Replacements
    private let opset: Int
    private var shared: SharedNames
    /// The names of the constants, by label.
    private var constants: [String: String] = [:]
    /// Labels and the names of their constants, in the order of the sites.
    private(set) var population: [(label: String, initializer: String, graph: [String])] = []

    /// Rewrites a model.
    ///
    /// - Parameters:
    ///   - model: The training graph.
    ///   - sites: Its sites.
    ///   - statistics: What is put into each, in the same order.
    /// - Returns: The inference graph, with its labels in `bn_population`.
    static func rewrite(
        _ model: Model,
        _ sites: [FoundSite],
        _ statistics: [SiteStatistics]
    ) -> Model {
        var rewriter = GraphRewriter(model, sites, statistics)
        rewriter.addConstants(sites, statistics)
        var changed = model
        let graph = rewriter.rewrite(model.graph, at: .root, StepIndices())
        changed.graph = DeadCode.removed(from: graph, original: model.graph)
        rewriter.shared.addConstants(to: &changed)
        PopulationLabels.write(rewriter.population, to: &changed)
        return changed
    }

    private init(_ model: Model, _ sites: [FoundSite], _ statistics: [SiteStatistics]) {
        replacements = Replacements(sites, statistics)
        opset = model.opsetImports[""] ?? 0
        shared = SharedNames(model)
    }

    private mutating func addConstants(_ sites: [FoundSite], _ statistics: [SiteStatistics]) {
        for (site, statistic) in zip(sites, statistics) {
            for (value, tensor) in [
                (site.site.mean, statistic.mean), (site.site.variance, statistic.variance),
            ] {
                guard let value, let tensor else { continue }
                let name = shared.add(tensor, named: "\(value.label).population")
                constants[value.label] = name
                population.append((value.label, name, site.site.loops))
            }
        }
    }

    private mutating func rewrite(
        _ graph: Graph,
        at path: NodePath,
        _ outerSteps: StepIndices
    ) -> Graph {
        var steps = outerSteps
        var graph = graph
        let values = replacements.values[path] ?? [:]
        let outputs = Set(graph.outputs.map(\.name))
        var renamed: [String: String] = [:]
        var nodes: [Node] = []
        for (index, original) in graph.nodes.enumerated() {
            let nodePath = path.appending(original, at: index)
            var writer = NodeWriter(opset: opset, shared, prefix: nodePath.description)
            defer { shared = writer.shared }
            var node = GraphReads.renaming(renamed, in: original)
            if replacements.concern(nodePath) { node = enter(node, at: nodePath, steps, &writer) }
            if let (mean, variance) = replacements.normalizations[nodePath] {
                let operands = [mean, variance].map { operand($0, &steps, &writer) }
                node = evaluating(node, mean: operands[0], variance: operands[1], &writer)
                nodes += writer.takeNodes()
                continue
            }
            nodes += writer.takeNodes()
            var isReplaced = false
            for (position, name) in node.outputs.enumerated() {
                guard let constant = values[name] else { continue }
                if path == .root && !outputs.contains(name) {
                    renamed[name] = constants[constant.label]
                } else {
                    writeOperand(constant, named: name, &steps, &writer)
                }
                node.outputs[position] = writer.fresh("unused")
                isReplaced = true
            }
            // The statistic's own node goes; one that makes other values too makes them without it.
            if !isReplaced || original.outputs.contains(where: { !$0.isEmpty && values[$0] == nil }) {
                nodes.append(node)
            }
            nodes += writer.takeNodes()
        }
        graph.nodes = nodes
        return graph
    }

    /// Rewrites the subgraphs of a node, and gives their steps a number.
    private mutating func enter(
        _ node: Node,
        at path: NodePath,
        _ steps: StepIndices,
        _ writer: inout NodeWriter
    ) -> Node {
        var node = node
        for (attribute, subgraph) in node.subgraphs {
            let inner = path.entering(attribute)
            guard replacements.concern(inner) else { continue }
            var body = subgraph
            var step: String?
            var isVector = false
            if node.isScan(opset: opset) {
                step = StepInput.adding(to: &node, body: &body, &writer)
            } else if node.isLoop {
                isVector = subgraph.inputs.first?.dimensions?.count == 1
                step = subgraph.inputs.first?.name
            }
            shared = writer.shared
            let changed = rewrite(body, at: inner, steps.entering(step: step, isVector: isVector))
            writer.shared = shared
            node.replaceSubgraph(attribute, by: changed)
        }
        return node
    }

    /// The name of a constant's part for the step that runs.
    private func operand(
        _ constant: PopulationConstant,
        _ steps: inout StepIndices,
        _ writer: inout NodeWriter
    ) -> String {
        guard constant.depth > 0 else { return constants[constant.label] ?? "" }
        let name = writer.shared.names.fresh("\(constant.label)/step")
        writeOperand(constant, named: name, &steps, &writer)
        return name
    }

    /// Writes a constant's part for the step that runs as a value of the graph.
    private func writeOperand(
        _ constant: PopulationConstant,
        named value: String,
        _ steps: inout StepIndices,
        _ writer: inout NodeWriter
    ) {
        var name = constants[constant.label] ?? ""
        guard constant.depth > 0 else {
            writer.add("Identity", [name], named: value)
            return
        }
        for (level, count) in constant.steps.enumerated() {
            let index = steps.bounded(level: level, last: max(0, count - 1), &writer)
            let isLast = level == constant.depth - 1
            name = writer.add(
                "Gather",
                [name, index],
                [Attribute("axis", .int(0))],
                named: isLast ? value : writer.shared.names.fresh("\(constant.label)/steps")
            )
        }
    }

    /// A BatchNormalization with statistics given from outside; its running statistics become these.
    private func evaluating(
        _ node: Node,
        mean: String,
        variance: String,
        _ writer: inout NodeWriter
    ) -> Node {
        var node = node
        node.inputs[3] = mean
        node.inputs[4] = variance
        let further = node.outputs.dropFirst()
        node.outputs = Array(node.outputs.prefix(1))
        node.attributes = node.attributes.filter { $0.name != "training_mode" }
        writer.add(node)
        for (position, output) in further.enumerated() where !output.isEmpty {
            writer.add("Identity", [position % 2 == 0 ? mean : variance], named: output)
        }
        return node
    }
}
