import Foundation
import Kernels

/// The activations that recurrent operators name.
enum RecurrentActivation {
    /// The function of a name, which takes its parameters from the front of the lists; nil if there is none.
    static func named(
        _ name: String,
        _ alphas: inout ArraySlice<Float>,
        _ betas: inout ArraySlice<Float>
    ) -> RecurrentCell.Activation? {
        func alpha(_ standard: Float) -> Double { Double(alphas.popFirst() ?? standard) }
        func beta(_ standard: Float) -> Double { Double(betas.popFirst() ?? standard) }
        switch name.lowercased() {
        case "relu": return .kernel(.relu)
        case "tanh": return .kernel(.tanh)
        case "sigmoid": return .kernel(.sigmoid)
        case "softplus": return .kernel(.softplus)
        case "softsign": return formula(.softsign)
        case "leakyrelu": return formula(.leakyRelu(alpha: alpha(0.01)))
        case "elu": return formula(.elu(alpha: alpha(1)))
        case "thresholdedrelu": return formula(.thresholdedRelu(alpha: alpha(1)))
        case "hardsigmoid": return formula(.hardSigmoid(alpha: alpha(0.2), beta: beta(0.5)))
        case "affine":
            let (factor, addend) = (alpha(1), beta(0))
            return .formula { Float(factor * Double($0) + addend) }
        case "scaledtanh":
            let (outer, inner) = (alpha(1), beta(1))
            return .formula { Float(outer * Foundation.tanh(inner * Double($0))) }
        default: return nil
        }
    }

    private static func formula(_ formula: ScalarFunction.Formula) -> RecurrentCell.Activation {
        .formula { Float(formula.value(at: Double($0))) }
    }
}
