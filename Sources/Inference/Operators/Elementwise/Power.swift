import Kernels
import TensorCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Pow: `x` to the power of `y`, of the type of `x`.
struct Power: BroadcastingOperator {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(2...2) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs.take(0)
        var y = try inputs[1]
        if x.elementType == .float32, y.elementType == .float32, y.shape.rank <= x.shape.rank, y.count == 1,
            y.withPointer(to: Float.self, { $0[0] }) == 2
        {
            let count = x.count
            return .one(
                try inputs.makeTensor(of: Float.self, x.shape) { target in
                    x.withPointer(to: Float.self) {
                        Elementwise.apply(.square, to: $0, into: target, count: count)
                    }
                }
            )
        }
        if x.elementType != y.elementType { y = try Cast.convert(y, to: x.elementType, inputs, input: 1) }
        return .one(
            try Arithmetic.combine(.power, x, y, inputs, mayWrite: (inputs.isLastUse(0), false))
        )
    }

    static func double(_ x: Double, _ y: Double) -> Double { pow(x, y) }

    /// `x` to the power of `y`, wrapping around; for a negative `y` what truncation of the quotient gives.
    static func integer<T: FixedWidthInteger>(_ x: T, _ y: T) -> T {
        if y < 0 {
            if x == 1 { return 1 }
            if T.isSigned && x == 0 &- 1 { return y & 1 == 0 ? 1 : x }
            return 0
        }
        var result: T = 1
        var base = x
        var exponent = y
        while exponent > 0 {
            if exponent & 1 == 1 { result = result &* base }
            base = base &* base
            exponent >>= 1
        }
        return result
    }
}

extension Power: PointwiseOperator {}
