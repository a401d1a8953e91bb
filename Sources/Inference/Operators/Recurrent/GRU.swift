import Kernels
import TensorCore

/// GRU: gates update and reset, and a candidate state, from the input and the last hidden state.
///
/// `z, r = f(W x + R h + b)`, `n = g(W x + R (r . h) + b)`, or with `linear_before_reset`
/// `n = g(W x + bW + r . (R h + bR))`; `h' = (1 - z) . n + z . h`. A sequence's steps past its own length leave its
/// state alone and give zeros.
struct GRU: RecurrentOperator {
    let attributes: RecurrentAttributes
    let weights: RecurrentWeights?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...6)
        try reader.expectOutputs(0...2)
        let resetsAfterProduct = try reader.flag("linear_before_reset", default: false)
        attributes = try RecurrentAttributes(
            .gru(resetsAfterProduct: resetsAfterProduct),
            &reader,
            standard: ["Sigmoid", "Tanh"]
        )
        weights = nil
    }

    init(_ other: GRU, weights: RecurrentWeights) {
        attributes = other.attributes
        self.weights = weights
    }
}
