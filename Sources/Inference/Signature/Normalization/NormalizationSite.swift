public import ONNXGraph

/// A place in a frozen model where values are normalized with population statistics.
public struct NormalizationSite: Sendable, Equatable {
    /// How the normalization is written in the graph.
    public enum Kind: String, Sendable, Codable {
        /// One BatchNormalization node in evaluation mode.
        case batchNormalization = "batch_normalization"
        /// A chain of Sub, Div, Mul and maybe Add.
        case affineChain = "affine_chain"
    }

    /// The stem of the statistics' labels, such as `block1.bn`, else the path of the last node.
    public var name: String
    /// The last node of the normalization.
    public var path: NodePath
    /// The value that holds the normalized features, in the graph that `path` names a node of.
    public var output: String
    /// The number of channels.
    public var channels: Int
    /// The axis of ``output`` that the channels are on; a negative one is counted from the end, -1 the last.
    public var channelAxis: Int
    /// How many time steps the statistics have, outermost loop first; empty for one for all steps.
    public var stepCounts: [Int]
    /// How the normalization is written.
    public var kind: Kind
    /// The initializer with the population mean.
    public var mean: String
    /// The initializer with the population variance, or with what its square root is.
    public var variance: String
    /// Whether ``variance`` holds `sqrt(variance + epsilon)` instead of the variance.
    public var holdsDeviation: Bool
    /// The initializer with the scale; nil if there is none.
    public var scale: String?
    /// The initializer with the bias; nil if there is none.
    public var bias: String?
    /// What is added to the variance.
    public var epsilon: Double

    /// How many time steps the outermost axis of the statistics has; nil if they are one for all steps.
    public var steps: Int? { stepCounts.first }
    /// Whether the place is inside of a loop's body.
    public var isNested: Bool { path.depth > 0 }
}
