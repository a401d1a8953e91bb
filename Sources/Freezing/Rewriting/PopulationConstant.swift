import ONNXGraph
import TensorCore

/// A population statistic on its way into a graph: `[T..., C...]`, one axis of steps for each loop around it.
struct PopulationConstant {
    let label: String
    let tensor: Tensor
    let depth: Int

    /// The numbers of steps, outermost loop first.
    var steps: [Int] { Array(tensor.shape.dimensions.prefix(depth)) }
}

/// What a rewrite puts where.
struct Replacements {
    /// Constants for values, by graph and name.
    var values: [NodePath: [String: PopulationConstant]] = [:]
    /// Mean and variance of BatchNormalization nodes, by their paths.
    var normalizations: [NodePath: (mean: PopulationConstant, variance: PopulationConstant)] = [:]

    /// The constants that sites take from the population.
    init(_ sites: [FoundSite], _ statistics: [SiteStatistics]) {
        for (site, statistic) in zip(sites, statistics) {
            let depth = site.site.depth
            func constant(_ value: StatisticValue?, _ tensor: Tensor?) -> PopulationConstant? {
                guard let value, let tensor else { return nil }
                return PopulationConstant(label: value.label, tensor: tensor, depth: depth)
            }
            let mean = constant(site.site.mean, statistic.mean)
            let variance = constant(site.site.variance, statistic.variance)
            if site.isNormalization, let mean, let variance {
                normalizations[site.site.path] = (mean, variance)
                continue
            }
            for (value, constant) in [(site.site.mean, mean), (site.site.variance, variance)] {
                guard let value, let constant else { continue }
                values[value.graph, default: [:]][value.name] = constant
            }
        }
    }

    /// Whether something is put into a graph, into the subgraphs of a node, or further inward.
    func concern(_ path: NodePath) -> Bool {
        let steps = path.steps
        return values.keys.contains { $0.steps.starts(with: steps, by: NodePath.Step.isWay) }
            || normalizations.keys.contains { $0.graph.steps.starts(with: steps, by: NodePath.Step.isWay) }
    }
}

/// The statistics that are put into one site.
struct SiteStatistics {
    var mean: Tensor?
    var variance: Tensor?
}
