import Kernels
import TensorCore

/// An operator over steps: RNN, GRU or LSTM; they differ in their cell and in whether they have cell states.
///
/// Weights that are constants are packed once, when the model is planned.
protocol RecurrentOperator: RaggedOperator {
    /// Directions, layout, cells.
    var attributes: RecurrentAttributes { get }
    /// The weights where they are constants and packed; else nil.
    var weights: RecurrentWeights? { get }

    /// The same operator with its weights packed.
    init(_ other: Self, weights: RecurrentWeights)
}

extension RecurrentOperator {
    func prepare(_ constants: [Tensor?]) -> (any Operator)? {
        guard weights == nil else { return nil }
        guard attributes.weightInputs.allSatisfy({ $0 < constants.count && constants[$0] != nil }) else {
            return nil
        }
        return RecurrentWeights(attributes, constants: constants).map { Self(self, weights: $0) }
    }

    func narrowed() -> (any Operator)? {
        guard let narrow = try? weights?.narrowed() else { return nil }
        return Self(self, weights: narrow)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        if try inputs[0].elementType == .float64 {
            return try DoubleRecurrence(attributes, inputs).evaluate()
        }
        return try RecurrentRun(attributes, packedWeights(inputs), inputs).evaluate(
            hasCells: attributes.hasCells,
            inputs
        )
    }

    private func packedWeights(_ inputs: NodeInputs) throws(OperatorError) -> RecurrentWeights {
        if let weights { return weights }
        return try RecurrentWeights(
            attributes,
            weights: inputs.float32(1),
            recurrence: inputs.float32(2),
            bias: inputs.optional(3),
            peepholes: attributes.hasCells ? inputs.optional(7) : nil
        )
    }
}
