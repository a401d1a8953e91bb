import Kernels
import TensorCore

/// `scale * x + shift` with constants in Double, as a node or several computes it.
struct AffineStep {
    let scale: ConstantArray
    let shift: ConstantArray
    /// The value of `x`.
    let input: PlanGraph.ValueID

    /// What a node computes if it is affine in one input and the rest of its inputs are constants.
    init(_ node: PlanGraph.Node, in graph: PlanGraph) throws(NoMatch) {
        if let step = node.computation as? ScaleShift {
            guard let input = node.inputs.first ?? nil else { throw .otherOperator }
            scale = ConstantArray(step.scale)
            shift = ConstantArray(step.shift)
            self.input = input
            return
        }
        guard let arithmetic = node.computation as? Arithmetic, node.inputs.count == 2,
            let left = node.inputs[0], let right = node.inputs[1]
        else { throw .otherOperator }
        let isRight = graph.constant(right) != nil
        guard let constant = graph.constant(isRight ? right : left) else { throw .notConstant }
        guard constant.elementType == .float32 else { throw .unsupportedElementType }
        let values = ConstantArray(constant)
        input = isRight ? left : right
        switch (arithmetic.operation, isRight) {
        case (.add, _): (scale, shift) = (.one, values)
        case (.subtract, true): (scale, shift) = (.one, values.map { -$0 })
        case (.subtract, false): (scale, shift) = (.minusOne, values)
        case (.multiply, _): (scale, shift) = (values, .zero)
        case (.divide, true): (scale, shift) = (values.map { 1 / $0 }, .zero)
        default: throw .otherOperator
        }
    }

    /// Fails if the constants cannot be put in float32 without a loss that matters.
    static func check(scale: ConstantArray, shift: ConstantArray) throws(NoMatch) {
        guard scale.values.allSatisfy(\.isFinite), shift.values.allSatisfy(\.isFinite) else {
            throw .notFinite
        }
        guard shift.values.allSatisfy({ $0.magnitude <= ChannelAffine.maximumFoldedShift }) else {
            throw .wouldCancel
        }
    }
}

/// Merges two affine nodes, one reading the other, into one scale and shift: the Sub, Div, Mul and Add of an
/// exported batch normalization become a single node.
enum AffineChain: PlannerPass {
    static let name = PassName.affineChain

    struct Match {
        let node: Int
        let input: PlanGraph.ValueID
        let computation: ScaleShift
    }

    static func check(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) -> Match {
        let second = try AffineStep(graph.nodes[index], in: graph)
        guard let producer = facts.producers[second.input] else { throw .otherOperator }
        let first = try AffineStep(graph.nodes[producer], in: graph)
        guard facts.useCounts[second.input] == 1 else { throw .intermediateIsUsed }
        guard let scale = first.scale.combined(with: second.scale, *),
            let scaled = first.shift.combined(with: second.scale, *),
            let shift = scaled.combined(with: second.shift, +)
        else { throw .unsupportedShape }
        // A scale of ones still has to stretch the result as the constants it stands for did.
        guard let whole = scale.combined(with: shift, { a, _ in a }) else { throw .unsupportedShape }
        let largest = [first.scale, first.shift, second.scale, second.shift].map(\.values.count).max() ?? 0
        guard whole.values.count <= largest else { throw .unsupportedShape }
        try AffineStep.check(scale: scale, shift: shift)
        guard let scaleTensor = scale.tensor, let shiftTensor = shift.tensor else { throw .unsupportedShape }
        return Match(
            node: index,
            input: first.input,
            computation: ScaleShift(scale: scaleTensor, shift: shiftTensor)
        )
    }

    static func rewrite(_ match: Match, in graph: inout PlanGraph) -> NodeRewrite {
        .node(match.node, computation: match.computation, inputs: [match.input])
    }
}
