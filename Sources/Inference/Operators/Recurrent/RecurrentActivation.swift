import FoundationEssentials
import Glibc
import Kernels

/// A function that recurrent operators name, for float32 and for float64.
struct RecurrentActivation: Sendable {
    let single: RecurrentCell.Activation
    let double: @Sendable (Double) -> Double

    private init(_ operation: UnaryOperation) {
        single = .kernel(operation)
        double = { operation.double($0) }
    }

    private init(_ formula: @escaping @Sendable (Double) -> Double) {
        single = .formula { Float(formula(Double($0))) }
        double = formula
    }

    private init(_ formula: ScalarFunction.Formula) { self.init { formula.value(at: $0) } }

    /// The function of a name, which takes its parameters from the front of the lists; nil if there is none.
    init?(named name: String, _ alphas: inout ArraySlice<Float>, _ betas: inout ArraySlice<Float>) {
        func alpha(_ standard: Float) -> Double { Double(alphas.popFirst() ?? standard) }
        func beta(_ standard: Float) -> Double { Double(betas.popFirst() ?? standard) }
        switch name.lowercased() {
        case "relu": self.init(UnaryOperation.relu)
        case "tanh": self.init(UnaryOperation.tanh)
        case "sigmoid": self.init(UnaryOperation.sigmoid)
        case "softplus": self.init(UnaryOperation.softplus)
        case "softsign": self.init(ScalarFunction.Formula.softsign)
        case "leakyrelu": self.init(ScalarFunction.Formula.leakyRelu(alpha: alpha(0.01)))
        case "elu": self.init(ScalarFunction.Formula.elu(alpha: alpha(1)))
        case "thresholdedrelu": self.init(ScalarFunction.Formula.thresholdedRelu(alpha: alpha(1)))
        case "hardsigmoid":
            self.init(ScalarFunction.Formula.hardSigmoid(alpha: alpha(0.2), beta: beta(0.5)))
        case "affine":
            let (factor, addend) = (alpha(1), beta(0))
            self.init { factor * $0 + addend }
        case "scaledtanh":
            let (outer, inner) = (alpha(1), beta(1))
            self.init { outer * Glibc.tanh(inner * $0) }
        default: return nil
        }
    }
}
