import Inference
import ONNXGraph
import TensorCore

/// Makes the normalizations of a frozen graph sites again, and puts new statistics in the place of the old ones.
enum Recalibration {
    /// What is added to a variance of which the file holds only the square root.
    static let epsilonBehindDeviation = 1e-5

    /// A normalization as a site; nil if its statistics are in no graph that can be changed.
    ///
    /// - Parameters:
    ///   - site: A normalization.
    ///   - model: The frozen graph.
    /// - Returns: The site, and the statistics it has.
    /// - Throws: ``FreezeError/model(_:)``.
    static func site(
        _ site: NormalizationSite,
        in model: Model
    ) throws(FreezeError) -> (FoundSite, SiteValues)? {
        let scope: ValueScope
        do { scope = try ValueScope(model, at: site.path.graph) } catch { throw .model(error) }
        guard let level = scope.current, let last = site.path.steps.last,
            level.nodes.indices.contains(last.index),
            let mean = initializer(site.mean, in: model),
            let variance = initializer(site.variance, in: model),
            site.stepCounts.count == site.path.graph.loops.count
        else { return nil }
        var subtraction: NodePath?
        var division: NodePath?
        if site.kind == .affineChain {
            guard let chain = chain(endingAt: last.index, in: level) else { return nil }
            subtraction = level.path.appending(level.nodes[chain.subtraction], at: chain.subtraction)
            division = level.path.appending(level.nodes[chain.division], at: chain.division)
        }
        let depth = site.stepCounts.count
        let epsilon = site.holdsDeviation ? epsilonBehindDeviation : site.epsilon
        let frozen = FrozenSite(
            mean: site.mean,
            variance: site.variance,
            holdsDeviation: site.holdsDeviation,
            epsilon: epsilon,
            channels: site.channels,
            isChannelsFirst: site.channelAxis != -1,
            stepShape: Array(mean.shape.dimensions.dropFirst(depth)),
            subtraction: subtraction,
            division: division
        )
        var found = TrainingModeFinder.site(
            level.nodes[last.index],
            at: site.path,
            label: site.name,
            origin: .recalibration
        )
        found.frozen = frozen
        let values = SiteValues(
            label: site.name,
            mean: mean,
            variance: site.holdsDeviation ? squared(variance, minus: epsilon) : variance
        )
        return (found, values)
    }

    /// A frozen graph with other statistics.
    ///
    /// - Parameters:
    ///   - model: The frozen graph.
    ///   - sites: Its sites.
    ///   - statistics: What is put into each, in the same order.
    /// - Returns: The graph with the same nodes; the last steps that bound the picks of steps follow the new lengths.
    /// - Throws: ``FreezeError/model(_:)``.
    static func rewrite(
        _ model: Model,
        _ sites: [FoundSite],
        _ statistics: [SiteStatistics]
    ) throws(FreezeError) -> Model {
        var replaced: [String: Tensor] = [:]
        for (site, new) in zip(sites, statistics) {
            guard let frozen = site.frozen, let mean = new.mean, let variance = new.variance else { continue }
            let depth = site.site.depth
            let spread = frozen.holdsDeviation ? deviation(variance, plus: frozen.epsilon) : variance
            for (name, tensor) in [(frozen.mean, mean), (frozen.variance, spread)] {
                guard let old = initializer(name, in: model) else { continue }
                let steps = Array(old.shape.dimensions.prefix(depth))
                guard let fitted = StepFitting.fit(tensor, toSteps: steps, shape: old.shape) else {
                    throw .statistics(
                        .malformed(label: site.site.label, what: "its shape"),
                        origin: "\(site.site.path)"
                    )
                }
                replaced[name] = fitted
            }
        }
        var changed = model
        changed.graph = replacing(replaced, in: model.graph)
        return changed
    }

    private static func replacing(_ tensors: [String: Tensor], in graph: Graph) -> Graph {
        var graph = graph
        graph.initializers = graph.initializers.map { initializer in
            guard let tensor = tensors[initializer.name] else { return initializer }
            var changed = initializer
            changed.replaceElements(by: tensor)
            return changed
        }
        graph.nodes = graph.nodes.map { node in
            var node = node
            if node.operatorType == "Constant", let output = node.outputs.first, let tensor = tensors[output]
            {
                var list = node.attributes
                for index in list.indices where list[index].name == "value" {
                    guard case .tensor(var constant) = list[index].value else { continue }
                    constant.replaceElements(by: tensor)
                    list[index].value = .tensor(constant)
                }
                node.attributes = list
            }
            for (attribute, subgraph) in node.subgraphs {
                let inner = replacing(tensors, in: subgraph)
                if inner != subgraph { node.replaceSubgraph(attribute, by: inner) }
            }
            return node
        }
        return graph
    }

    /// The nodes of a chain, found backward from its last one.
    private static func chain(
        endingAt last: Int,
        in level: ValueScope.Level
    ) -> (subtraction: Int, division: Int)? {
        var index = last
        let longestChain = 3
        for _ in 0..<longestChain where level.nodes[index].operatorType != "Div" {
            guard let maker = level.nodes[index].inputs.compactMap({ level.makers[$0] }).max() else {
                return nil
            }
            index = maker
        }
        guard level.nodes[index].operatorType == "Div", let first = level.nodes[index].inputs.first,
            let subtraction = level.makers[first], level.nodes[subtraction].operatorType == "Sub"
        else { return nil }
        return (subtraction, index)
    }

    /// A constant of the model, in whichever graph it is.
    private static func initializer(_ name: String, in model: Model) -> Tensor? {
        func search(_ graph: Graph) -> Tensor? {
            if let found = graph.initializers.first(where: { $0.name == name }) { return try? found.tensor() }
            for node in graph.nodes {
                if node.outputs.first == name, let constant = node.constant { return try? constant.tensor() }
                for subgraph in node.subgraphs {
                    if let found = search(subgraph.graph) { return found }
                }
            }
            return nil
        }
        return search(model.graph)
    }

    private static func squared(_ deviation: Tensor, minus epsilon: Double) -> Tensor {
        map(deviation) { max(0, $0 * $0 - epsilon) }
    }

    private static func deviation(_ variance: Tensor, plus epsilon: Double) -> Tensor {
        map(variance) { ($0 + epsilon).squareRoot() }
    }

    private static func map(_ tensor: Tensor, _ transform: (Double) -> Double) -> Tensor {
        guard tensor.elementType == .float32 else { return tensor }
        let numbers = tensor.array(of: Float.self).map { Float(transform(Double($0))) }
        return (try? Tensor(numbers, shape: tensor.shape)) ?? tensor
    }
}
