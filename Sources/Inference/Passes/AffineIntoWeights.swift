import TensorCore

/// Puts a scale and shift a channel into the constant weights and bias of the Conv, MatMul or Gemm before it.
///
/// `scale * (W x + b) + shift = (scale * W) x + (scale * b + shift)`, computed in Double.
enum AffineIntoWeights: PlannerPass {
    static let name = PassName.affineIntoWeights

    struct Match {
        let producer: Int
        let node: Int
        let computation: any Operator
        /// Weights and bias; the producer's first input stays.
        let constants: [Tensor]
    }

    static func check(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) -> Match {
        let node = graph.nodes[index]
        let source: PlanGraph.ValueID
        let affine: Affine
        if let step = try? AffineStep(node, in: graph) {
            source = step.input
            affine = .broadcast(step)
        } else if let normalization = node.computation as? BatchNormalization {
            guard !normalization.isTraining, let input = node.inputs.first ?? nil else {
                throw .otherOperator
            }
            source = input
            affine = .channels(try channels(normalization, node, graph))
        } else {
            throw .otherOperator
        }
        guard let producer = facts.producers[source] else { throw .otherOperator }
        guard facts.useCounts[source] == 1 else { throw .intermediateIsUsed }
        let before = graph.nodes[producer]
        let constants = before.inputs.map { graph.constant($0) }
        switch before.computation {
        case let conv as Conv:
            let (weights, bias) = try convolution(conv, constants, affine)
            return Match(producer: producer, node: index, computation: conv, constants: [weights, bias])
        case let product as MatMul:
            let prepared = try matrix(product, constants, affine)
            return Match(producer: producer, node: index, computation: prepared, constants: [])
        case let product as Gemm:
            let (weights, bias) = try gemm(product, constants, affine)
            let computation = Gemm(addingTo: product)
            return Match(
                producer: producer,
                node: index,
                computation: computation,
                constants: [weights, bias]
            )
        default: throw .otherOperator
        }
    }

    static func rewrite(_ match: Match, in graph: inout PlanGraph) -> NodeRewrite {
        let inputs =
            [graph.nodes[match.producer].inputs[0]]
            + match.constants.map { graph.addValue(named: "", constant: $0) }
        return .node(match.node, computation: match.computation, inputs: inputs)
    }

    private enum Affine {
        case broadcast(AffineStep)
        case channels(ChannelAffine)
    }

    private static func channels(
        _ normalization: BatchNormalization,
        _ node: PlanGraph.Node,
        _ graph: PlanGraph
    ) throws(NoMatch) -> ChannelAffine {
        var parameters: [[Double]] = []
        for id in node.inputs.dropFirst() {
            guard let constant = graph.constant(id) else { throw .notConstant }
            guard constant.elementType == .float32 else { throw .unsupportedElementType }
            parameters.append(constant.array(of: Float.self).map(Double.init))
        }
        guard parameters.count == 4, parameters.allSatisfy({ $0.count == parameters[0].count }) else {
            throw .unsupportedShape
        }
        let affine = ChannelAffine(
            scale: parameters[0],
            bias: parameters[1],
            mean: parameters[2],
            variance: parameters[3],
            epsilon: normalization.epsilon
        )
        guard affine.center == nil else { throw .wouldCancel }
        return affine
    }

    private static func perChannel(
        _ affine: Affine,
        _ count: Int,
        axesBehind: Int,
        rank: Int
    ) throws(NoMatch) -> (scale: [Double], shift: [Double]) {
        switch affine {
        case .channels(let affine):
            // The channels of a batch normalization are axis 1.
            guard affine.scale.count == count, rank - 1 - axesBehind == 1 else { throw .unsupportedShape }
            return (affine.scale.map(Double.init), affine.shift.map(Double.init))
        case .broadcast(let step):
            guard let scale = step.scale.perChannel(count, axesBehind: axesBehind, rank: rank),
                let shift = step.shift.perChannel(count, axesBehind: axesBehind, rank: rank)
            else { throw .unsupportedShape }
            try AffineStep.check(
                scale: ConstantArray(values: scale, shape: Shape()),
                shift: ConstantArray(values: shift, shape: Shape())
            )
            return (scale, shift)
        }
    }

    private static func convolution(
        _ conv: Conv,
        _ constants: [Tensor?],
        _ affine: Affine
    ) throws(NoMatch) -> (weights: Tensor, bias: Tensor) {
        guard conv.activation == .identity else { throw .otherOperator }
        guard constants.count >= 2, let weights = constants[1] else { throw .notConstant }
        guard weights.elementType == .float32, weights.shape.rank == 3, weights.count > 0 else {
            throw .unsupportedShape
        }
        let count = weights.shape[0]
        var bias = [Double](repeating: 0, count: count)
        if constants.count > 2 {
            guard let addend = constants[2] else { throw .notConstant }
            guard addend.elementType == .float32, addend.count == count else { throw .unsupportedShape }
            bias = addend.array(of: Float.self).map(Double.init)
        }
        let (scale, shift) = try perChannel(affine, count, axesBehind: 1, rank: 3)
        var scaled = weights.array(of: Float.self)
        let size = weights.count / count
        for channel in 0..<count {
            bias[channel] = bias[channel] * scale[channel] + shift[channel]
            for index in channel * size..<(channel + 1) * size {
                scaled[index] = Float(Double(scaled[index]) * scale[channel])
            }
        }
        guard let newWeights = try? Tensor(scaled, shape: weights.shape),
            let newBias = try? Tensor(bias.map { Float($0) }, shape: Shape(checking: [count]))
        else { throw .unsupportedShape }
        return (newWeights, newBias)
    }

    /// `alpha * A * (scale * B) + (scale * beta * C + shift)`, the new addend `[columns]`.
    private static func gemm(
        _ product: Gemm,
        _ constants: [Tensor?],
        _ affine: Affine
    ) throws(NoMatch) -> (weights: Tensor, bias: Tensor) {
        guard product.prepared == nil else { throw .otherOperator }
        guard constants.count >= 2, let weights = constants[1] else { throw .notConstant }
        guard weights.elementType == .float32, weights.shape.rank == 2, weights.count > 0 else {
            throw .unsupportedShape
        }
        let (rowLength, isTransposed) = (weights.shape[1], product.transposesB)
        let count = isTransposed ? weights.shape[0] : rowLength
        var addend = [Double](repeating: 0, count: count)
        if constants.count > 2 {
            guard let constant = constants[2] else { throw .notConstant }
            guard constant.elementType == .float32,
                let values = ConstantArray(constant).perChannel(count, axesBehind: 0, rank: 2)
            else { throw .unsupportedShape }
            addend = values.map { $0 * Double(product.beta) }
        }
        let (scale, shift) = try perChannel(affine, count, axesBehind: 0, rank: 2)
        var scaled = weights.array(of: Float.self)
        for index in scaled.indices {
            let column = isTransposed ? index / rowLength : index % rowLength
            scaled[index] = Float(Double(scaled[index]) * scale[column])
        }
        let bias = zip(zip(addend, scale), shift).map { Float($0.0 * $0.1 + $1) }
        guard let newWeights = try? Tensor(scaled, shape: weights.shape),
            let newBias = try? Tensor(bias, shape: Shape(checking: [count]))
        else { throw .unsupportedShape }
        return (newWeights, newBias)
    }

    private static func matrix(
        _ product: MatMul,
        _ constants: [Tensor?],
        _ affine: Affine
    ) throws(NoMatch) -> MatMul {
        guard product.prepared == nil else { throw .otherOperator }
        guard constants.count == 2, let weights = constants[1] else { throw .notConstant }
        guard weights.elementType == .float32, weights.shape.rank == 2, weights.count > 0 else {
            throw .unsupportedShape
        }
        let count = weights.shape[1]
        let (scale, shift) = try perChannel(affine, count, axesBehind: 0, rank: 1)
        var scaled = weights.array(of: Float.self)
        for index in scaled.indices { scaled[index] = Float(Double(scaled[index]) * scale[index % count]) }
        guard let newWeights = try? Tensor(scaled, shape: weights.shape),
            let bias = try? Tensor(shift.map { Float($0) }, shape: Shape(checking: [count])),
            let prepared = MatMul.prepared(newWeights, bias: bias)
        else { throw .unsupportedShape }
        return MatMul(prepared: prepared)
    }
}
