import ONNXGraph
import TensorCore

/// The chain Sub, Div, Mul, Add of a normalization written with plain operators.
///
/// `y = (x - mean) / sqrt(variance + epsilon) * scale + bias`; Mul and Add may be missing, and the square root
/// may be a constant already.
enum AffineChainSite {
    /// The chain whose division is a node of the innermost graph.
    static func site(_ division: Node, at index: Int, in scope: SiteScope) -> NormalizationSite? {
        guard let level = scope.current, division.domain.isEmpty, division.inputs.count == 2,
            let subtraction = scope.maker(of: division.inputs[0]),
            subtraction.operatorType == "Sub", subtraction.inputs.count == 2,
            let mean = scope.constant(subtraction.inputs[1]), mean.initializer.elementType == .float32,
            let spread = spread(division.inputs[1], in: scope), spread.constant.count == mean.count,
            let channels = mean.count, let channelAxis = mean.channelAxis,
            let divided = division.outputs.first
        else { return nil }
        var last = (index: index, output: divided)
        let scale = operand("Mul", of: &last, count: channels, in: scope)
        let bias = operand("Add", of: &last, count: channels, in: scope)
        return NormalizationSite(
            name: "",
            path: level.path.appending(level.nodes[last.index], at: last.index),
            output: last.output,
            channels: channels,
            channelAxis: channelAxis,
            stepCounts: mean.stepCounts,
            kind: .affineChain,
            mean: mean.initializer.name,
            variance: spread.constant.initializer.name,
            holdsDeviation: spread.isDeviation,
            scale: scale,
            bias: bias,
            epsilon: spread.epsilon
        )
    }

    private struct Spread {
        let constant: SiteConstant
        let isDeviation: Bool
        let epsilon: Double
    }

    /// What the difference is divided by: a square root of a variance, or a deviation.
    private static func spread(_ value: String, in scope: SiteScope) -> Spread? {
        if let constant = scope.constant(value) {
            guard constant.initializer.elementType == .float32, !constant.dimensions.isEmpty else {
                return nil
            }
            return Spread(constant: constant, isDeviation: true, epsilon: 0)
        }
        guard let root = scope.maker(of: value), root.operatorType == "Sqrt", let radicand = root.inputs.first
        else { return nil }
        if let variance = scope.constant(radicand) {
            return Spread(constant: variance, isDeviation: false, epsilon: 0)
        }
        guard let sum = scope.maker(of: radicand), sum.operatorType == "Add", sum.inputs.count == 2,
            let left = scope.constant(sum.inputs[0]), let right = scope.constant(sum.inputs[1])
        else { return nil }
        // A single channel's variance and epsilon look alike; the variance is written first.
        let (variance, epsilon) = right.count == 1 ? (left, right) : (right, left)
        guard epsilon.count == 1, let number = scalar(epsilon.initializer) else { return nil }
        return Spread(constant: variance, isDeviation: false, epsilon: number)
    }

    private static func scalar(_ initializer: Initializer) -> Double? {
        guard let tensor = try? initializer.tensor(), tensor.count == 1 else { return nil }
        switch tensor.elementType {
        case .float32: return tensor.array(of: Float.self).first.map(Double.init)
        case .float64: return tensor.array(of: Double.self).first
        default: return nil
        }
    }

    /// The constant that the only reader of the chain's end multiplies by or adds, if it has one number for a
    /// channel; the chain then goes on to that reader.
    private static func operand(
        _ type: String,
        of last: inout (index: Int, output: String),
        count: Int,
        in scope: SiteScope
    ) -> String? {
        guard let (index, node) = scope.onlyReader(of: last.output), node.operatorType == type,
            node.inputs.count == 2, let output = node.outputs.first,
            let other = node.inputs.first(where: { $0 != last.output }),
            let constant = scope.constant(other), constant.count == count
        else { return nil }
        last = (index, output)
        return constant.initializer.name
    }
}
