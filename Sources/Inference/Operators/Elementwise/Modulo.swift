import TensorCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Mod: the remainder with the sign of the divisor, or with `fmod` that of the dividend; floats need `fmod`.
struct Modulo: Operator {
    private let takesSignOfDividend: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        takesSignOfDividend = try reader.flag("fmod", default: false)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let a = try inputs[0]
        let b = try inputs[1]
        guard a.elementType == b.elementType else { throw .elementTypesDiffer(a.elementType, b.elementType) }
        switch a.elementType {
        case .float32:
            return .one(
                try TypedMap.binary(a, b, inputs) { (a: Float, b: Float) in
                    takesSignOfDividend ? fmod(a, b) : Self.floored(a, b)
                }
            )
        case .float64:
            return .one(
                try TypedMap.binary(a, b, inputs) { (a: Double, b: Double) in
                    takesSignOfDividend ? fmod(a, b) : Self.floored(a, b)
                }
            )
        default:
            let work = Remainder(a: a, b: b, takesSignOfDividend: takesSignOfDividend, inputs: inputs)
            return .one(try work.run(for: a.elementType, input: 0))
        }
    }

    private static func floored<T: BinaryFloatingPoint>(_ a: T, _ b: T) -> T {
        let remainder = a.truncatingRemainder(dividingBy: b)
        return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
    }
}

private struct Remainder: IntegerWork {
    let a: Tensor
    let b: Tensor
    let takesSignOfDividend: Bool
    let inputs: NodeInputs

    func run<T: TensorElement & FixedWidthInteger>(_ type: T.Type) throws(OperatorError) -> Tensor {
        guard !b.withElements(of: T.self, { $0.contains(0) }) else { throw .divisionByZero }
        return try TypedMap.binary(a, b, inputs) { (a: T, b: T) -> T in
            // The one overflow, the smallest number by -1, has no remainder.
            let (remainder, overflow) = a.remainderReportingOverflow(dividingBy: b)
            guard !overflow else { return 0 }
            return !takesSignOfDividend && remainder != 0 && (remainder < 0) != (b < 0)
                ? remainder &+ b : remainder
        }
    }
}

extension Modulo: PointwiseOperator {}
