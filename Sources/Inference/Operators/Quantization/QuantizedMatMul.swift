import TensorCore

/// MatMulInteger: `(A - a zero point) * (B - b zero point)` of 8-bit integers, in int32, which wraps around.
struct MatMulInteger: Operator {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(2...4) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let a = try QuantizedOperand.centred(inputs[0], zero: inputs.optional(2), .rows, input: 2, inputs)
        let b = try QuantizedOperand.centred(inputs[1], zero: inputs.optional(3), .columns, input: 3, inputs)
        return .one(try PlainMatMul(a: a, b: b, inputs: inputs).run(Int32.self))
    }
}

/// QLinearMatMul: a product of 8-bit matrices, each with scale and zero point, in 8 bits with those of the result.
///
/// Parameters are scalars, one a row of A or of the result, or one a column of B.
struct QLinearMatMul: Operator {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(8...8) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let a = try QuantizedOperand.centred(inputs[0], zero: inputs[2], .rows, input: 2, inputs)
        let b = try QuantizedOperand.centred(inputs[3], zero: inputs[5], .columns, input: 5, inputs)
        let product = try PlainMatMul(a: a, b: b, inputs: inputs).run(Int32.self)
        let aScale = try QuantizedOperand.spread(inputs.float32(1), .rows, rank: 2)
        let bScale = try QuantizedOperand.spread(inputs.float32(4), .columns, rank: 2)
        let yScale = try QuantizedOperand.spread(inputs.float32(6), .rows, rank: 2)
        let factors = try Arithmetic.combine(
            .divide,
            Arithmetic.combine(.multiply, aScale, bScale, inputs, mayWrite: (false, false)),
            yScale,
            inputs,
            mayWrite: (true, false)
        )
        let zero = try inputs[7]
        return .one(
            try Requantization(
                sums: product,
                factors: factors,
                zero: QuantizedOperand.spread(zero, .rows, rank: 2),
                inputs: inputs
            )
            .run(for: zero.elementType, input: 7)
        )
    }
}
