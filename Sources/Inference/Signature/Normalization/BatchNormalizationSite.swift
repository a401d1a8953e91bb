import ONNXGraph

/// A BatchNormalization node in evaluation mode.
enum BatchNormalizationSite {
    static func site(_ node: Node, at path: NodePath, in scope: SiteScope) -> NormalizationSite? {
        let isTraining: Bool =
            if case .int(let mode)? = node.attribute("training_mode") { mode != 0 } else { false }
        guard !isTraining, node.domain.isEmpty, node.inputs.count == 5,
            node.outputs.dropFirst().allSatisfy(\.isEmpty),
            let output = node.outputs.first, !output.isEmpty,
            let mean = scope.constant(node.inputs[3]), let variance = scope.constant(node.inputs[4]),
            let channels = mean.count, mean.dimensions.count == 1
        else { return nil }
        let epsilon =
            if case .float(let epsilon)? = node.attribute("epsilon") { epsilon } else { Float(1e-5) }
        return NormalizationSite(
            name: "",
            path: path,
            output: output,
            channels: channels,
            channelAxis: 1,
            stepCounts: mean.stepCounts,
            kind: .batchNormalization,
            mean: mean.initializer.name,
            variance: variance.initializer.name,
            holdsDeviation: false,
            scale: scope.constant(node.inputs[1])?.initializer.name,
            bias: scope.constant(node.inputs[2])?.initializer.name,
            epsilon: Double(epsilon)
        )
    }
}
