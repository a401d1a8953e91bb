import Kernels
import TensorCore

/// Min, Max, Sum and Mean of any number of inputs, combined from the first to the last.
struct Variadic: Operator {
    let operation: BinaryOperation
    let divides: Bool

    init(
        _ operation: BinaryOperation,
        divides: Bool = false,
        _ reader: inout AttributeReader
    ) throws(OperatorError) {
        try reader.expectInputs(1...Int(Int32.max))
        self.operation = operation
        self.divides = divides
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var result = try inputs.take(0)
        var mayWrite = inputs.isLastUse(0)
        for index in 1..<max(inputs.count, 1) {
            let next = try inputs.take(index)
            result = try Arithmetic.combine(
                operation,
                result,
                next,
                inputs,
                mayWrite: (mayWrite, inputs.isLastUse(index))
            )
            mayWrite = true
        }
        guard divides else { return .one(result) }
        let count: Tensor
        switch result.elementType {
        case .float32: count = Tensor(scalar: Float(inputs.count))
        case .float64: count = Tensor(scalar: Double(inputs.count))
        default: throw .unsupportedElementType(result.elementType, input: 0)
        }
        return .one(try Arithmetic.combine(.divide, result, count, inputs, mayWrite: (mayWrite, false)))
    }
}

extension Variadic: PointwiseOperator {
    func number(_ operands: [Number], _ type: ElementType) -> Number? {
        guard operation == .maximum, var result = operands.first else { return nil }
        for operand in operands.dropFirst() {
            guard let larger = Number.larger(result, operand) else { return nil }
            result = larger
        }
        return result
    }
}
