import Glibc
import TensorCore

/// Functions of one number that no kernel is made for: the trigonometric ones, and activations with parameters.
///
/// float32 and float64, each computed in its own type.
struct ScalarFunction: Operator {
    enum Formula: Sendable {
        case sin, cos, tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh
        /// `x / (1 + |x|)`
        case softsign
        /// `x * tanh(log(1 + e^x))`
        case mish
        /// `x * max(0, min(1, x / 6 + 1 / 2))`
        case hardSwish
        /// `max(0, min(1, alpha * x + beta))`
        case hardSigmoid(alpha: Double, beta: Double)
        /// `x` where it is positive, else `alpha * x`.
        case leakyRelu(alpha: Double)
        /// `x` where it is positive, else `alpha * (e^x - 1)`.
        case elu(alpha: Double)
        /// `max(0, x) + min(0, alpha * (e^(x / alpha) - 1))`
        case celu(alpha: Double)
        /// `gamma * x` where it is positive, else `gamma * alpha * (e^x - 1)`.
        case selu(alpha: Double, gamma: Double)
        /// `x` where it is above `alpha`, else 0.
        case thresholdedRelu(alpha: Double)
        /// `x * sigmoid(alpha * x)`
        case swish(alpha: Double)
        /// `x` moved towards 0 by `bias` where it is further away than `lambda`, else 0.
        case shrink(bias: Double, lambda: Double)
    }

    let formula: Formula

    init(_ formula: Formula, _ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        self.formula = formula
    }

    init(hardSigmoid reader: inout AttributeReader) throws(OperatorError) {
        let alpha = Double(try reader.float("alpha", default: 0.2))
        try self.init(
            .hardSigmoid(alpha: alpha, beta: Double(try reader.float("beta", default: 0.5))),
            &reader
        )
    }

    init(leakyRelu reader: inout AttributeReader) throws(OperatorError) {
        try self.init(.leakyRelu(alpha: Double(try reader.float("alpha", default: 0.01))), &reader)
    }

    init(elu reader: inout AttributeReader) throws(OperatorError) {
        try self.init(.elu(alpha: Double(try reader.float("alpha", default: 1))), &reader)
    }

    init(celu reader: inout AttributeReader) throws(OperatorError) {
        let alpha = try reader.float("alpha", default: 1)
        guard alpha != 0 else { throw .attributeValue("alpha") }
        try self.init(.celu(alpha: Double(alpha)), &reader)
    }

    init(selu reader: inout AttributeReader) throws(OperatorError) {
        let alpha = Double(try reader.float("alpha", default: 1.673_263_2))
        let gamma = Double(try reader.float("gamma", default: 1.050_701))
        try self.init(.selu(alpha: alpha, gamma: gamma), &reader)
    }

    init(thresholdedRelu reader: inout AttributeReader) throws(OperatorError) {
        try self.init(.thresholdedRelu(alpha: Double(try reader.float("alpha", default: 1))), &reader)
    }

    init(swish reader: inout AttributeReader) throws(OperatorError) {
        try self.init(.swish(alpha: Double(try reader.float("alpha", default: 1))), &reader)
    }

    init(shrink reader: inout AttributeReader) throws(OperatorError) {
        let bias = Double(try reader.float("bias", default: 0))
        try self.init(.shrink(bias: bias, lambda: Double(try reader.float("lambd", default: 0.5))), &reader)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        switch x.elementType {
        case .float32:
            return .one(try TypedMap.unary(x, inputs) { (x: Float) in Float(formula.value(at: Double(x))) })
        case .float64: return .one(try TypedMap.unary(x, inputs) { (x: Double) in formula.value(at: x) })
        default:
            guard case .shrink = formula, x.elementType != .bool, !x.elementType.isNarrow else {
                throw .unsupportedElementType(x.elementType, input: 0)
            }
            let real = try Cast.convert(x, to: .float64, inputs, input: 0)
            let result = try TypedMap.unary(real, inputs) { (x: Double) in formula.value(at: x) }
            return .one(try Cast.convert(result, to: x.elementType, inputs, input: 0))
        }
    }
}

extension ScalarFunction.Formula {
    /// The function in Double; NaN stays NaN.
    func value(at x: Double) -> Double {
        switch self {
        case .sin: Glibc.sin(x)
        case .cos: Glibc.cos(x)
        case .tan: Glibc.tan(x)
        case .asin: Glibc.asin(x)
        case .acos: Glibc.acos(x)
        case .atan: Glibc.atan(x)
        case .sinh: Glibc.sinh(x)
        case .cosh: Glibc.cosh(x)
        case .asinh: Glibc.asinh(x)
        case .acosh: Glibc.acosh(x)
        case .atanh: Glibc.atanh(x)
        case .softsign: x / (1 + x.magnitude)
        case .mish: x * Glibc.tanh(max(x, 0) + log1p(exp(-x.magnitude)))
        case .hardSwish: x * Self.unit(x / 6 + 0.5)
        case .hardSigmoid(let alpha, let beta): Self.unit(alpha * x + beta)
        case .leakyRelu(let alpha): x < 0 ? alpha * x : x
        case .elu(let alpha): x < 0 ? alpha * expm1(x) : x
        case .celu(let alpha): x.isNaN ? x : max(x, 0) + min(0, alpha * expm1(x / alpha))
        case .selu(let alpha, let gamma): gamma * (x < 0 ? alpha * expm1(x) : x)
        case .thresholdedRelu(let alpha): x > alpha || x.isNaN ? x : 0
        case .swish(let alpha): x / (1 + exp(-alpha * x))
        case .shrink(let bias, let lambda): x < -lambda ? x + bias : x > lambda ? x - bias : x.isNaN ? x : 0
        }
    }

    private static func unit(_ x: Double) -> Double { x.isNaN ? x : max(0, min(1, x)) }
}

extension ScalarFunction: PointwiseOperator {}
