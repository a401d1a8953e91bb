import Inference
import ONNXGraph
import TensorCore

/// A normalization of a frozen graph whose statistics are estimated anew.
struct FrozenSite: Sendable, Hashable {
    /// The initializer with the mean.
    let mean: String
    /// The initializer with the variance, or with its square root.
    let variance: String
    /// Whether ``variance`` holds `sqrt(variance + epsilon)`.
    let holdsDeviation: Bool
    let epsilon: Double
    let channels: Int
    /// Whether the channels are on axis 1, else on the last.
    let isChannelsFirst: Bool
    /// The shapes that one step's mean and deviation have where they are read.
    let stepShape: [Int]
    /// The node `x - mean`, in a chain of plain operators.
    let subtraction: NodePath?
    /// The node that divides by the deviation, in a chain of plain operators.
    let division: NodePath?

    /// The nodes that read the statistics of a chain.
    var nodes: [NodePath] { [subtraction, division].compactMap(\.self) }

    /// One of the nodes of a chain with the batch's statistics in the place of the population's.
    func recomputed(
        _ original: Node,
        at path: NodePath,
        mask: String?,
        _ deviations: inout [NodePath: String],
        _ site: FoundSite,
        _ names: inout [Export: String],
        _ writer: inout NodeWriter
    ) -> Node {
        var node = original
        if path == subtraction {
            let statistics = MaskedStatistics(
                node.inputs[0],
                isChannelsFirst ? .channelsFirst : .channelsLast(channels),
                mask: mask,
                &writer
            )
            let shape = stepShape.map { Int64($0) }
            let mean = writer.reshape(statistics.mean, to: shape)
            let variance = writer.reshape(statistics.variance, to: shape)
            let number = writer.constant(Tensor(scalar: Float(epsilon)))
            deviations[site.site.path] = writer.add("Sqrt", [writer.add("Add", [variance, number])])
            names[.computed(site.site.path, .mean)] = mean
            names[.computed(site.site.path, .variance)] = variance
            names[.computed(site.site.path, .count)] = statistics.count
            names[.computed(site.site.path, .total)] = statistics.total
            node.inputs[1] = mean
        } else if path == division, let deviation = deviations[site.site.path] {
            node.inputs[1] = deviation
        }
        return node
    }
}
