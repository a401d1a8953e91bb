import Kernels
import TensorCore

/// Add, Sub, Mul and Div with broadcasting.
///
/// float32 by kernel; float64 and integers besides, which wrap around and whose quotients are truncated.
struct Arithmetic: BroadcastingOperator {
    let operation: BinaryOperation

    init(_ operation: BinaryOperation, _ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        self.operation = operation
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let a = try inputs.take(0)
        let b = try inputs.take(1)
        return .one(
            try Self.combine(operation, a, b, inputs, mayWrite: (inputs.isLastUse(0), inputs.isLastUse(1)))
        )
    }

    /// `a op b`; the memory of an operand that may be written becomes the result's if the shape is right.
    static func combine(
        _ operation: BinaryOperation,
        _ a: consuming Tensor,
        _ b: consuming Tensor,
        _ inputs: NodeInputs,
        mayWrite: (Bool, Bool)
    ) throws(OperatorError) -> Tensor {
        guard a.elementType == b.elementType else { throw .elementTypesDiffer(a.elementType, b.elementType) }
        switch a.elementType {
        case .float32: return try floats(operation, a, b, inputs, mayWrite: mayWrite)
        case .float64: return try doubles(operation, a, b, inputs)
        default:
            let type = a.elementType
            let work = IntegerArithmetic(operation: operation, a: a, b: b, inputs: inputs)
            return try work.run(for: type, input: 0)
        }
    }

    private static func floats(
        _ operation: BinaryOperation,
        _ a: consuming Tensor,
        _ b: consuming Tensor,
        _ inputs: NodeInputs,
        mayWrite: (Bool, Bool)
    ) throws(OperatorError) -> Tensor {
        let shape = try a.shape.broadcasting(b.shape)
        if mayWrite.0, a.shape == shape, a.isUniquelyReferenced() {
            let bShape = b.shape
            b.withPointer(to: Float.self) { b in
                a.withMutablePointer(to: Float.self) { a in
                    Elementwise.apply(operation, a, shape, b, bShape, into: a, shape: shape)
                }
            }
            return a
        }
        if mayWrite.1, b.shape == shape, b.isUniquelyReferenced() {
            let aShape = a.shape
            a.withPointer(to: Float.self) { a in
                b.withMutablePointer(to: Float.self) { b in
                    Elementwise.apply(operation, a, aShape, b, shape, into: b, shape: shape)
                }
            }
            return b
        }
        var c = try inputs.makeTensor(.float32, shape)
        let (aShape, bShape) = (a.shape, b.shape)
        a.withPointer(to: Float.self) { a in
            b.withPointer(to: Float.self) { b in
                c.withMutablePointer(to: Float.self) { c in
                    Elementwise.apply(operation, a, aShape, b, bShape, into: c, shape: shape)
                }
            }
        }
        return c
    }

    private static func doubles(
        _ operation: BinaryOperation,
        _ a: Tensor,
        _ b: Tensor,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        switch operation {
        case .add: try TypedMap.binary(a, b, inputs) { (a: Double, b: Double) in a + b }
        case .subtract: try TypedMap.binary(a, b, inputs) { (a: Double, b: Double) in a - b }
        case .multiply: try TypedMap.binary(a, b, inputs) { (a: Double, b: Double) in a * b }
        case .divide: try TypedMap.binary(a, b, inputs) { (a: Double, b: Double) in a / b }
        case .minimum:
            try TypedMap.binary(a, b, inputs) { (a: Double, b: Double) in a.isNaN || a < b ? a : b }
        case .maximum:
            try TypedMap.binary(a, b, inputs) { (a: Double, b: Double) in a.isNaN || a > b ? a : b }
        case .power: try TypedMap.binary(a, b, inputs) { (a: Double, b: Double) in Power.double(a, b) }
        }
    }
}

private struct IntegerArithmetic: IntegerWork {
    let operation: BinaryOperation
    let a: Tensor
    let b: Tensor
    let inputs: NodeInputs

    func run<T: TensorElement & FixedWidthInteger>(_ type: T.Type) throws(OperatorError) -> Tensor {
        switch operation {
        case .add: return try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a &+ b }
        case .subtract: return try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a &- b }
        case .multiply: return try TypedMap.binary(a, b, inputs) { (a: T, b: T) in a &* b }
        case .divide:
            guard !b.withElements(of: T.self, { $0.contains(0) }) else { throw .divisionByZero }
            return try TypedMap.binary(a, b, inputs) { (a: T, b: T) in
                a.dividedReportingOverflow(by: b).partialValue
            }
        case .minimum: return try TypedMap.binary(a, b, inputs) { (a: T, b: T) in min(a, b) }
        case .maximum: return try TypedMap.binary(a, b, inputs) { (a: T, b: T) in max(a, b) }
        case .power: return try TypedMap.binary(a, b, inputs) { (a: T, b: T) in Power.integer(a, b) }
        }
    }
}

extension Arithmetic: PointwiseOperator {
    func number(_ operands: [Number], _ type: ElementType) -> Number? {
        guard operands.count == 2 else { return nil }
        // Floats would round what integers hold.
        guard type == .int64 || type == .int32 else { return nil }
        switch operation {
        case .add: return .sum(operands[0], operands[1])
        case .subtract: return .difference(operands[0], operands[1])
        case .multiply: return .product(operands[0], operands[1])
        case .divide: return .quotient(operands[0], operands[1])
        case .maximum: return .larger(operands[0], operands[1])
        case .minimum, .power: return nil
        }
    }

    func equalInput(_ inputs: NodeFacts) -> Int? {
        guard inputs.count == 2 else { return nil }
        if let right = inputs.inputs[1]?.uniform, Self.isNeutral(right, operation, isRight: true) { return 0 }
        if let left = inputs.inputs[0]?.uniform, Self.isNeutral(left, operation, isRight: false) { return 1 }
        return nil
    }

    /// Whether the other operand stays the same to the bit, the sign of a zero included.
    private static func isNeutral(_ scalar: Tensor, _ operation: BinaryOperation, isRight: Bool) -> Bool {
        let value: Double
        switch scalar.elementType {
        case .float32: value = Double(scalar.array(of: Float.self)[0])
        case .float64: value = scalar.array(of: Double.self)[0]
        case .int64: value = Double(scalar.array(of: Int64.self)[0])
        default: return false
        }
        switch operation {
        case .multiply: return value == 1
        case .divide: return isRight && value == 1
        case .subtract: return isRight && value == 0 && value.sign == .plus
        case .add: return value == 0 && (value.sign == .minus || scalar.elementType == .int64)
        case .minimum, .maximum, .power: return false
        }
    }
}
