import Kernels
import TensorCore

/// `x * scale + shift` of three values that are broadcast; of float32 rounded once where the machine can.
struct MultiplyAdd: Operator {
    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let (x, scale, shift) = (try inputs[0], try inputs[1], try inputs[2])
        guard x.elementType == .float32, scale.elementType == .float32, shift.elementType == .float32 else {
            let product = try Arithmetic.combine(.multiply, x, scale, inputs, mayWrite: (false, false))
            return .one(try Arithmetic.combine(.add, product, shift, inputs, mayWrite: (true, false)))
        }
        let shape = try shaped { () throws(ShapeError) in
            try x.shape.broadcast(with: scale.shape).broadcast(with: shift.shape)
        }
        let (a, b, c) = (
            try Self.operand(x, shape, inputs, mayBeOne: false),
            try Self.operand(scale, shape, inputs, mayBeOne: true),
            try Self.operand(shift, shape, inputs, mayBeOne: true)
        )
        let columns = shape.dimensions.last ?? 1
        return .one(
            try inputs.makeTensor(of: Float.self, shape) { y in
                guard shape.elementCount > 0, columns > 0 else { return }
                a.withPointer(to: Float.self) { x in
                    b.withPointer(to: Float.self) { scale in
                        c.withPointer(to: Float.self) { shift in
                            var program = StepProgram()
                            func operand(_ start: UnsafePointer<Float>, _ tensor: Tensor)
                                -> StepProgram.Operand
                            {
                                StepProgram.Operand(
                                    start: start,
                                    row: tensor.count == shape.elementCount ? columns : 0,
                                    column: tensor.count == 1 && columns > 1 ? 0 : 1
                                )
                            }
                            program.affine(
                                operand(x, a),
                                scale: operand(scale, b),
                                shift: operand(shift, c),
                                to: StepProgram.Result(
                                    start: y,
                                    rows: shape.elementCount / columns,
                                    columns: columns,
                                    row: columns
                                )
                            )
                            program.run(steps: 1)
                        }
                    }
                }
            }
        )
    }

    /// A tensor itself, if it is one element, one row or the whole result; else its copy in the result's shape.
    private static func operand(
        _ tensor: Tensor,
        _ shape: Shape,
        _ inputs: NodeInputs,
        mayBeOne: Bool
    ) throws(OperatorError) -> Tensor {
        let columns = shape.dimensions.last ?? 1
        let isRow = tensor.count == columns && (tensor.shape.dimensions.last ?? 1) == columns
        if isRow || tensor.count == shape.elementCount || (mayBeOne && tensor.count == 1) { return tensor }
        return try Expand.broadcast(tensor, to: shape, inputs)
    }
}

extension MultiplyAdd: PointwiseOperator {
    func number(_ operands: [Number], _ type: ElementType) -> Number? {
        guard operands.count == 3, type == .int64 || type == .int32,
            let product = Number.product(operands[0], operands[1])
        else { return nil }
        return .sum(product, operands[2])
    }
}
