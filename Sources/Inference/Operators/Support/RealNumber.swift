import FoundationEssentials
import Glibc
import Kernels
import TensorCore

/// A type of real numbers: float32, computed by the kernels, and float64, computed by plain loops.
protocol RealNumber: MatrixElement, BinaryFloatingPoint {
    /// Softmax, or its logarithm, along the middle axis of `[outer, axis, inner]`; `y` may be `x`.
    static func softmax(
        _ x: UnsafePointer<Self>,
        into y: UnsafeMutablePointer<Self>,
        outer: Int,
        axis: Int,
        inner: Int,
        logarithm: Bool
    )

    /// The hyperbolic tangent.
    static func hyperbolicTangent(_ x: Self) -> Self

    /// `e^x`
    static func exponential(_ x: Self) -> Self
}

extension Float: RealNumber {
    static func softmax(
        _ x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>,
        outer: Int,
        axis: Int,
        inner: Int,
        logarithm: Bool
    ) {
        Softmax.apply(x, into: y, outer: outer, axis: axis, inner: inner, logarithm: logarithm)
    }

    static func hyperbolicTangent(_ x: Float) -> Float { Glibc.tanh(x) }
    static func exponential(_ x: Float) -> Float { Glibc.exp(x) }
}

extension Double: RealNumber {
    static func softmax(
        _ x: UnsafePointer<Double>,
        into y: UnsafeMutablePointer<Double>,
        outer: Int,
        axis: Int,
        inner: Int,
        logarithm: Bool
    ) {
        for row in 0..<outer * inner {
            let start = row / inner * axis * inner + row % inner
            var largest = -Double.infinity
            for index in 0..<axis {
                let value = x[start + index * inner]
                if value > largest || value.isNaN { largest = value }
            }
            var sum = 0.0
            for index in 0..<axis { sum += Glibc.exp(x[start + index * inner] - largest) }
            let logarithmOfSum = Glibc.log(sum)
            for index in 0..<axis {
                let place = start + index * inner
                let difference = x[place] - largest
                y[place] = logarithm ? difference - logarithmOfSum : Glibc.exp(difference) / sum
            }
        }
    }

    static func hyperbolicTangent(_ x: Double) -> Double { Glibc.tanh(x) }
    static func exponential(_ x: Double) -> Double { Glibc.exp(x) }
}

/// Work that is written once for float32 and float64.
protocol RealWork {
    /// Does the work on tensors whose elements have a type.
    func run<T: RealNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs
}

extension RealWork {
    /// Does the work for the type of an input; other types are refused.
    func run(for type: ElementType, input: Int) throws(OperatorError) -> NodeOutputs {
        switch type {
        case .float32: return try run(Float.self)
        case .float64: return try run(Double.self)
        default: throw .unsupportedElementType(type, input: input)
        }
    }
}
