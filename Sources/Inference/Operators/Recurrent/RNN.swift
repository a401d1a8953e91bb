import Kernels
import TensorCore

/// RNN: `h' = f(W x + R h + b)`.
///
/// A sequence's steps past its own length leave its state alone and give zeros.
struct RNN: RecurrentOperator {
    let attributes: RecurrentAttributes
    let weights: RecurrentWeights?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...6)
        try reader.expectOutputs(0...2)
        attributes = try RecurrentAttributes(.rnn, &reader, standard: ["Tanh"])
        weights = nil
    }

    init(_ other: RNN, weights: RecurrentWeights) {
        attributes = other.attributes
        self.weights = weights
    }
}
