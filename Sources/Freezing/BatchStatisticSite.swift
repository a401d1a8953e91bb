public import ONNXGraph

/// A place in a training graph where values are normalized with statistics of the batch.
///
/// The values whose labels share a stem are one site: `block1.bn.mean`, `block1.bn.var` and `block1.bn.count` are the
/// mean, the variance and the number of valid positions of `block1.bn`.
public struct BatchStatisticSite: Sendable, Hashable {
    /// How a site was found.
    public enum Origin: String, Sendable, Hashable, Codable {
        /// A BatchNormalization node in training mode.
        case trainingMode = "training_mode"
        /// A label in the metadata of the node that makes the value.
        case nodeLabel = "node_label"
        /// A label in the metadata of the model.
        case modelLabel = "model_label"
        /// A name or regular expression given by the caller.
        case commandLine = "command_line"
        /// A mean and a variance over the batch, recognised by their operators.
        case pattern
        /// A normalization of a frozen model whose statistics are estimated anew.
        case recalibration
    }

    /// The stem of the labels, unique in the model.
    public let label: String
    /// How the site was found.
    public let origin: Origin
    /// The node that makes the mean, else the variance; or the BatchNormalization.
    public let path: NodePath
    /// How many loops (Scan, Loop) enclose the site: the number of leading time axes of its statistics.
    public let depth: Int
    /// The mean; nil if the site has a variance only.
    public let mean: StatisticValue?
    /// The variance; nil if the site has a mean only.
    public let variance: StatisticValue?
    /// The number of valid positions the statistics are of; nil if the graph does not tell.
    public let count: StatisticValue?
    /// The number of all positions, padding included; nil if the graph does not tell.
    public let total: StatisticValue?
    /// The loops that enclose the site, outermost first, by the labels of their nodes.
    public let loops: [String]

    /// The label that errors name: the whole label of a value where someone gave it one, else that of the site.
    var statedLabel: String {
        origin == .trainingMode ? label : (mean ?? variance)?.label ?? label
    }

    /// Whether the statistics of batches can be merged by their counts.
    public var hasCounts: Bool { count != nil }
}

/// A value of a graph that holds a statistic.
public struct StatisticValue: Sendable, Hashable {
    /// What the statistic is called, such as `block1.bn.mean`.
    public let label: String
    /// The value's name in its graph; for a BatchNormalization, which keeps its statistics to itself, empty.
    public let name: String
    /// The graph that makes the value.
    public let graph: NodePath

    /// A value.
    ///
    /// - Parameters:
    ///   - label: What the statistic is called.
    ///   - name: The value's name in its graph.
    ///   - graph: The graph that makes the value.
    public init(label: String, name: String, graph: NodePath) {
        self.label = label
        self.name = name
        self.graph = graph
    }
}
