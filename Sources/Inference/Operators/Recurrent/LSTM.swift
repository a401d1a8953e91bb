import Kernels
import TensorCore

/// LSTM: gates input, output, forget and cell from the input and the last hidden state, with optional peepholes.
///
/// `i, o, f = f(W x + R h + P . c + b)`, `c' = f . c + i . g(W x + R h + b)`, `h' = o . h(c')`. The output gate looks
/// at the new cell. A sequence's steps past its own length leave its states alone and give zeros.
struct LSTM: RecurrentOperator {
    let attributes: RecurrentAttributes
    let weights: RecurrentWeights?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...8)
        try reader.expectOutputs(0...3)
        let couplesGates = try reader.flag("input_forget", default: false)
        attributes = try RecurrentAttributes(
            .lstm(couplesGates: couplesGates),
            &reader,
            standard: ["Sigmoid", "Tanh", "Tanh"]
        )
        weights = nil
    }

    init(_ other: LSTM, weights: RecurrentWeights) {
        attributes = other.attributes
        self.weights = weights
    }
}
