import Foundation
import Kernels
import TensorCore

/// What RNN, GRU and LSTM have in common: directions, layout, activations.
struct RecurrentAttributes: Sendable {
    let hiddenSize: Int
    /// For each direction, whether it runs from the end.
    let isReversed: [Bool]
    /// Whether the batch is the first axis, and not the steps.
    let isBatchFirst: Bool
    /// Sums are cut to `-clip ... clip` before an activation; nil for no bounds.
    let clip: Float?
    /// For each direction, one function for each gate and use.
    let activations: [[RecurrentActivation]]

    /// Reads the attributes; `standard` names the activations of one direction where none are written.
    init(_ reader: inout AttributeReader, standard: [String]) throws(OperatorError) {
        guard let hidden = try reader.int("hidden_size") else { throw .missingAttribute("hidden_size") }
        guard hidden > 0, hidden < 1 << 24 else { throw .attributeValue("hidden_size") }
        hiddenSize = hidden
        switch try reader.string("direction") ?? "forward" {
        case "forward": isReversed = [false]
        case "reverse": isReversed = [true]
        case "bidirectional": isReversed = [false, true]
        default: throw .attributeValue("direction")
        }
        isBatchFirst = reader.opset >= 14 ? try reader.flag("layout", default: false) : false
        clip = try reader.float("clip")
        guard clip.map({ $0 >= 0 }) ?? true else { throw .attributeValue("clip") }
        let count = isReversed.count
        let names =
            try reader.strings("activations") ?? Array([[String]](repeating: standard, count: count).joined())
        guard names.count == standard.count * count else { throw .attributeValue("activations") }
        var alphas = ArraySlice(try reader.floats("activation_alpha") ?? [])
        var betas = ArraySlice(try reader.floats("activation_beta") ?? [])
        var functions: [RecurrentActivation] = []
        for name in names {
            guard let function = RecurrentActivation(name, &alphas, &betas) else {
                throw .attributeValue("activations")
            }
            functions.append(function)
        }
        activations = (0..<count).map {
            Array(functions[($0 * standard.count)..<(($0 + 1) * standard.count)])
        }
    }
}

/// An activation of a recurrent operator, with its parameters.
struct RecurrentActivation: Sendable {
    private enum Function: Sendable {
        case kernel(UnaryOperation)
        case formula(@Sendable (Double) -> Double)
    }

    private let function: Function

    /// The activation of a name, which takes its parameters from the front of the lists; nil if there is none.
    init?(_ name: String, _ alphas: inout ArraySlice<Float>, _ betas: inout ArraySlice<Float>) {
        func alpha(_ standard: Float) -> Double { Double(alphas.popFirst() ?? standard) }
        func beta(_ standard: Float) -> Double { Double(betas.popFirst() ?? standard) }
        switch name.lowercased() {
        case "relu": function = .kernel(.relu)
        case "tanh": function = .kernel(.tanh)
        case "sigmoid": function = .kernel(.sigmoid)
        case "softplus": function = .kernel(.softplus)
        case "softsign": function = Self.formula(.softsign)
        case "leakyrelu": function = Self.formula(.leakyRelu(alpha: alpha(0.01)))
        case "elu": function = Self.formula(.elu(alpha: alpha(1)))
        case "thresholdedrelu": function = Self.formula(.thresholdedRelu(alpha: alpha(1)))
        case "hardsigmoid": function = Self.formula(.hardSigmoid(alpha: alpha(0.2), beta: beta(0.5)))
        case "affine":
            let (factor, addend) = (alpha(1), beta(0))
            function = .formula { factor * $0 + addend }
        case "scaledtanh":
            let (outer, inner) = (alpha(1), beta(1))
            function = .formula { outer * Foundation.tanh(inner * $0) }
        default: return nil
        }
    }

    private static func formula(_ formula: ScalarFunction.Formula) -> Function {
        .formula { formula.value(at: $0) }
    }

    /// Applies the function in place.
    func apply(_ values: UnsafeMutablePointer<Float>, count: Int, clip: Float?) {
        if let clip { Elementwise.clip(values, into: values, low: -clip, high: clip, count: count) }
        switch function {
        case .kernel(let operation): Elementwise.apply(operation, to: values, into: values, count: count)
        case .formula(let formula):
            for index in 0..<count { values[index] = Float(formula(Double(values[index]))) }
        }
    }
}
