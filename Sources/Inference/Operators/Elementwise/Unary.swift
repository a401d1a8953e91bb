import FoundationEssentials
import Glibc
import Kernels
import TensorCore

/// Functions of one element: Relu, Tanh, Sqrt and their like.
struct Unary: Operator {
    let function: UnaryOperation

    init(_ function: UnaryOperation, _ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        self.function = function
    }

    /// Gelu, which says in an attribute how it is computed.
    init(gelu reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        switch try reader.string("approximate") ?? "none" {
        case "none": function = .gelu
        case "tanh": function = .geluTanh
        default: throw .attributeValue("approximate")
        }
    }

    init(_ function: UnaryOperation) { self.function = function }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var x = try inputs.take(0)
        switch x.elementType {
        case .float32:
            let count = x.count
            if inputs.isLastUse(0), x.isUniquelyReferenced() {
                x.withMutablePointer(to: Float.self) {
                    Elementwise.apply(function, to: $0, into: $0, count: count)
                }
                return .one(x)
            }
            return .one(
                try inputs.makeTensor(of: Float.self, x.shape) { y in
                    x.withPointer(to: Float.self) {
                        Elementwise.apply(function, to: $0, into: y, count: count)
                    }
                }
            )
        case .float64: return .one(try doubles(x, inputs))
        case .int64: return .one(try integers(of: Int64.self, x, inputs))
        case .int32: return .one(try integers(of: Int32.self, x, inputs))
        case .int16: return .one(try integers(of: Int16.self, x, inputs))
        case .int8: return .one(try integers(of: Int8.self, x, inputs))
        // What has no sign is its own magnitude.
        case .uint8, .uint16, .uint32, .uint64:
            if function == .absolute { return .one(x) }
            guard function == .sign else { throw .unsupportedElementType(x.elementType, input: 0) }
            return .one(try UnsignedSign(x: x, inputs: inputs).run(for: x.elementType, input: 0))
        default: throw .unsupportedElementType(x.elementType, input: 0)
        }
    }

    private func integers<T: TensorElement & FixedWidthInteger & SignedInteger>(
        of type: T.Type,
        _ x: Tensor,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        switch function {
        case .negate: try TypedMap.unary(x, inputs) { (x: T) in 0 &- x }
        case .absolute: try TypedMap.unary(x, inputs) { (x: T) in x < 0 ? 0 &- x : x }
        case .relu: try TypedMap.unary(x, inputs) { (x: T) in max(x, 0) }
        case .sign: try TypedMap.unary(x, inputs) { (x: T) in x.signum() }
        default: throw .unsupportedElementType(x.elementType, input: 0)
        }
    }

    private func doubles(_ x: Tensor, _ inputs: NodeInputs) throws(OperatorError) -> Tensor {
        try TypedMap.unary(x, inputs) { (x: Double) in function.double(x) }
    }
}

private struct UnsignedSign: IntegerWork {
    let x: Tensor
    let inputs: NodeInputs

    func run<T: TensorElement & FixedWidthInteger>(_ type: T.Type) throws(OperatorError) -> Tensor {
        try TypedMap.unary(x, inputs) { (x: T) -> T in x == 0 ? 0 : 1 }
    }
}

extension UnaryOperation {
    /// The function in Double.
    func double(_ x: Double) -> Double {
        switch self {
        case .identity: x
        case .exp: Glibc.exp(x)
        case .log: Glibc.log(x)
        case .tanh: Glibc.tanh(x)
        case .sigmoid: 1 / (1 + Glibc.exp(-x))
        case .erf: Glibc.erf(x)
        case .relu: x > 0 || x.isNaN ? x : 0
        case .squareRoot: x.squareRoot()
        case .reciprocal: 1 / x
        case .negate: -x
        case .absolute: x.magnitude
        case .gelu: 0.5 * x * (1 + Glibc.erf(x * 0.5.squareRoot()))
        case .geluTanh:
            0.5 * x * (1 + Glibc.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .silu: x / (1 + Glibc.exp(-x))
        case .softplus: max(x, 0) + Glibc.log1p(Glibc.exp(-x.magnitude))
        case .floor: x.rounded(.down)
        case .ceiling: x.rounded(.up)
        case .round: x.rounded(.toNearestOrEven)
        case .sign: x > 0 ? 1 : x < 0 ? -1 : x
        case .square: x * x
        }
    }
}

extension Unary: PointwiseOperator {}
