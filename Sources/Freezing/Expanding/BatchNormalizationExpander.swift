import ONNXGraph
import TensorCore

/// Writes a BatchNormalization in training mode with plain operators, so that its statistics can be seen.
enum BatchNormalizationExpander {
    /// The statistics of an expanded node, `[C]` and one element each.
    struct Values {
        let mean: String
        let variance: String
        let count: String
        let total: String
    }

    /// Writes the nodes that make the node's outputs.
    ///
    /// `y = (x - mean) / sqrt(variance + epsilon) * scale + bias` with the statistics of the batch, and the running
    /// statistics `running * momentum + batch * (1 - momentum)`.
    ///
    /// - Parameters:
    ///   - node: A BatchNormalization.
    ///   - mask: The mask of the positions; nil if there is none.
    ///   - padding: Which positions the statistics are of, and those that `y` is made with.
    ///   - writer: The graph that has the node.
    /// - Returns: The values that hold the statistics.
    static func expand(
        _ node: Node,
        mask: String?,
        padding: Padding,
        _ writer: inout NodeWriter
    ) -> Values {
        let x = node.inputs[0]
        let statistics = MaskedStatistics(
            x,
            .channelsFirst,
            mask: padding == .include ? nil : mask,
            &writer
        )
        let used =
            padding == .observe ? MaskedStatistics(x, .channelsFirst, mask: nil, &writer) : statistics
        let epsilon: Float =
            if case .float(let value)? = node.attribute("epsilon") { value } else { 1e-5 }
        let radicand = writer.add("Add", [used.variance, writer.constant(Tensor(scalar: epsilon))])
        let quotient = writer.add("Div", [used.difference, writer.add("Sqrt", [radicand])])
        let scale = writer.reshape(node.inputs[1], to: [1, -1, 1])
        let bias = writer.reshape(node.inputs[2], to: [1, -1, 1])
        let y = writer.add("Add", [writer.add("Mul", [quotient, scale]), bias])
        writer.add("Reshape", [y, writer.add("Shape", [x])], named: node.outputs[0])
        let mean = writer.reshape(used.mean, to: [-1])
        let variance = writer.reshape(used.variance, to: [-1])
        writeFurtherOutputs(of: node, mean: mean, variance: variance, &writer)
        return Values(
            mean: padding == .observe ? writer.reshape(statistics.mean, to: [-1]) : mean,
            variance: padding == .observe ? writer.reshape(statistics.variance, to: [-1]) : variance,
            count: statistics.count,
            total: statistics.total
        )
    }

    private static func writeFurtherOutputs(
        of node: Node,
        mean: String,
        variance: String,
        _ writer: inout NodeWriter
    ) {
        let momentum: Float =
            if case .float(let value)? = node.attribute("momentum") { value } else { 0.9 }
        for (position, output) in node.outputs.enumerated() where position > 0 && !output.isEmpty {
            let isMean = position % 2 == 1
            let batch = isMean ? mean : variance
            guard position <= 2 else {
                writer.add("Identity", [batch], named: output)
                continue
            }
            let kept = writer.add(
                "Mul",
                [node.inputs[isMean ? 3 : 4], writer.constant(Tensor(scalar: momentum))]
            )
            let added = writer.add("Mul", [batch, writer.constant(Tensor(scalar: 1 - momentum))])
            writer.add("Add", [kept, added], named: output)
        }
    }
}
